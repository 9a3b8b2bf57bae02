#include "policies/reference.h"

#include <fmt/format.h>

#include <limits>

#include "policies/enforcement.h"
#include "policies/key.h"
#include "policies/value_type.h"

namespace guard {
namespace {

using policies::Key;
using policies::KeyIndex;
using policies::Shape;

// A cell of a table: a bar would end it.
std::string cell(std::string_view text) {
    std::string made;
    for (const char c : text) {
        if (c == '|') made += '\\';
        made += c;
    }
    return made;
}

std::string range_words(const Key& key) {
    const bool bounded = key.most != std::numeric_limits<std::int64_t>::max();
    if (key.type != policies::Type::integer || (!bounded && key.least == 0)) return "";
    return bounded ? fmt::format(", {} to {}", key.least, key.most) : fmt::format(", at least {}", key.least);
}

std::string value_words(const Key& key) {
    const auto words = policies::words_in(key.words);
    const auto choices = words.empty() ? "" : fmt::format("`{}`", fmt::join(words, "`, `"));
    const auto want = std::string(policies::type_info(key.type).want) + range_words(key);
    const bool only_words = key.type == policies::Type::word || key.type == policies::Type::feature;
    const auto one = only_words ? choices : choices.empty() ? want : want + ", or " + choices;
    switch (key.shape) {
        case Shape::one: return one;
        case Shape::list: return "list: " + one;
        case Shape::tables: return "list of tables";
        case Shape::table: return "table";
        case Shape::map: return "table; names: " + one;
    }
    return one;
}

std::string merge_words(const Key& key) {
    if (key.shape != Shape::list && key.shape != Shape::tables) return "";
    return key.merge == policies::Merge::append ? "; appends" : "; replaces";
}

std::string row(const Key& key) {
    auto doc = std::string(key.doc);
    if (key.required) doc += " (required)";
    if (const auto note = gap_note(key.path); !note.empty()) doc += fmt::format(". *{}*", note);
    const auto fallback = key.fallback.empty() ? std::string("-") : fmt::format("`{}`", key.fallback);
    return fmt::format("| `{}` | {}{} | {} | {} |\n", cell(key.path), cell(value_words(key)),
                       merge_words(key), cell(fallback), cell(doc));
}

constexpr std::string_view kHead = "\n| key | value | where it is left out | |\n|---|---|---|---|\n";

// Keys of the top first, then a section for each table.
std::string sections(std::span<const Key> keys) {
    std::string page(kHead);
    for (const auto& key : keys)
        if (key.path.find('.') == std::string_view::npos && key.shape != Shape::table) page += row(key);
    std::string_view section;
    for (const auto& key : keys) {
        const auto end = key.path.find_first_of(".[");
        if (end == std::string_view::npos) {
            if (key.shape == Shape::table) page += fmt::format("\n## [{}]: {}\n{}", key.path, key.doc, kHead);
            section = key.path;
            continue;
        }
        if (key.path.substr(0, end) == section) page += row(key);
    }
    return page;
}

constexpr std::string_view kIntroduction =
    "<!-- Made from the key table by `guard`; a test fails when they differ. -->\n"
    "# The profile language\n\n"
    "A profile is a TOML file. A key that is left out is closed, empty, or what its row says. `*` stands for "
    "a\n"
    "name of yours, `[]` for each table of a list. In `extends`, tables merge key by key, a single value\n"
    "replaces, and a list appends or replaces as its row says; `replace = [\"KEY\"]` in any table drops what "
    "was\n"
    "inherited for those keys. `deny` always wins.\n";

constexpr std::string_view kGroupIntroduction =
    "\n# Groups of system calls\n\n"
    "A file `groups/NAME.toml` beside a profile or on the search path is the group `@NAME`.\n";

}  // namespace

std::string reference_page() {
    return fmt::format("{}{}{}{}", kIntroduction, sections(policies::profile_keys()), kGroupIntroduction,
                       sections(policies::group_keys()));
}

}  // namespace guard
