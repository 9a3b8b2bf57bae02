#include "policies/requirements.h"

#include <algorithm>
#include <array>

#include "policies/key.h"
#include "policies/settings.h"

namespace guard {
namespace {

using policies::Key;
using policies::Merge;
using policies::Shape;
using policies::Type;

constexpr auto kKeys = std::to_array<Key>({
    {.path = "guard", .type = Type::integer, .doc = "version of the language", .least = 1, .most = 1},
    {.path = "paths",
     .shape = Shape::list,
     .type = Type::text,
     .fallback = "[\"profiles\"]",
     .doc = "where profiles are, relative to this file"},
    {.path = "fail-on",
     .type = Type::word,
     .fallback = "\"medium\"",
     .doc = "the least severity that counts",
     .words = "info|low|medium|high|critical"},
    {.path = "require",
     .shape = Shape::list,
     .type = Type::word,
     .fallback = "[]",
     .doc = "what every change has to keep",
     .words = "no-new-access",
     .merge = Merge::append},
});

void take(Requirements& made, const policies::Setting& setting) {
    const auto& path = setting.key->path;
    made.origins[std::string(path)] = where_of(setting.value.place);
    for (const auto& item : setting.value.items)
        made.origins[std::string(path) + "/" + item.text] = where_of(item.place);
    const auto texts = [&setting] {
        std::vector<std::string> all;
        for (const auto& item : setting.value.items) all.push_back(item.text);
        return all;
    };
    if (path == "paths") made.paths = texts();
    if (path == "fail-on") made.fail_on = severity_named(setting.value.text).value_or(Severity::medium);
    if (path == "require") {
        const auto all = texts();
        made.require = {all.begin(), all.end()};
    }
}

}  // namespace

ReadRequirements read_requirements(const std::string& path, const std::string& bytes) {
    static const policies::KeyIndex kIndex(kKeys);
    ReadRequirements read;
    auto parsed = policies::parse_document(path, bytes);
    read.diagnostics = std::move(parsed.diagnostics);
    const auto extent = read.diagnostics.empty() ? policies::Extent::whole : policies::Extent::part;
    const auto said = policies::read_settings(*parsed.document, kIndex, extent, read.diagnostics);
    if (std::ranges::any_of(read.diagnostics, [](const auto& one) { return one.level == Level::error; }))
        return read;
    Requirements made;
    for (const auto& setting : said.settings) take(made, setting);
    read.requirements = std::move(made);
    return read;
}

std::optional<Severity> severity_named(std::string_view name) {
    for (const auto severity :
         {Severity::info, Severity::low, Severity::medium, Severity::high, Severity::critical})
        if (severity_name(severity) == name) return severity;
    return std::nullopt;
}

}  // namespace guard
