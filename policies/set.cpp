#include "policies/set.h"

#include <fmt/format.h>

#include <algorithm>

#include "policies/scan.h"

namespace guard::policies {
namespace {

// The `=` between key and value: quotes in a key may hold one of their own.
std::size_t equals_of(const std::string& text) {
    char quote = '\0';
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (quote != '\0')
            quote = text[at] == quote ? '\0' : quote;
        else if (text[at] == '"' || text[at] == '\'')
            quote = text[at];
        else if (text[at] == '=')
            return at;
    }
    return std::string::npos;
}

Value text_value(const std::string& text) {
    Value value;
    value.kind = Kind::text;
    value.text = text;
    return value;
}

// Line 0: these places are in no file. The mark shows the argument itself.
void point_at(Value& value, const Document& document, unsigned column, unsigned length) {
    value.place = {&document, 0, column, length};
    for (auto& item : value.items) point_at(item, document, column, length);
    for (auto& entry : value.entries) {
        entry.place = value.place;
        point_at(entry.value, document, column, length);
    }
}

// The one value at the end of a dotted key.
Value* leaf_of(Value& root) {
    Value* at = &root;
    while (at->kind == Kind::table && at->entries.size() == 1) at = &at->entries.front().value;
    return at;
}

std::unique_ptr<Document> key_alone(const std::string& name, const std::string& key) {
    auto document = parse_line(name, key + " = 0");
    // `a = 1 #` as a key would hold more than a key.
    const bool plain = document != nullptr && leaf_of(document->root)->kind == Kind::integer;
    return plain && key.find('#') == std::string::npos ? std::move(document) : nullptr;
}

void wrong(std::vector<Diagnostic>& diagnostics, const std::string& text, std::string note) {
    const auto length = static_cast<unsigned>(std::max<std::size_t>(characters(text), 1));
    diagnostics.push_back({Level::error,
                           fmt::format("`--set {}` sets nothing", text),
                           {Mark{{"--set", 0, 1}, text, length, std::move(note)}}});
}

}  // namespace

SetLine read_set(const std::string& text, std::vector<Diagnostic>& diagnostics) {
    const auto equals = equals_of(text);
    if (equals == std::string::npos || equals == 0) {
        wrong(diagnostics, text, "want KEY=VALUE, as in limits.memory=4GiB");
        return {};
    }
    const auto key = text.substr(0, equals);
    const auto words = text.substr(equals + 1);
    auto document = key_alone("--set", key);
    if (scan_text({text}, kMostNesting) || document == nullptr) {
        wrong(diagnostics, text, "KEY is written as in a profile: filesystem.mounts.\"/tmp\".size");
        return {};
    }
    auto* leaf = leaf_of(document->root);
    const auto parsed = parse_line("--set", "value = " + words);
    const bool single = parsed != nullptr && parsed->root.entries.size() == 1;
    *leaf = single ? parsed->root.entries.front().value : text_value(words);
    document->lines = {text};
    const auto at = static_cast<unsigned>(characters(key));
    point_at(document->root, *document, 1, at);
    point_at(*leaf, *document, at + 2, static_cast<unsigned>(std::max<std::size_t>(characters(words), 1)));
    SetLine line{std::move(document), {}};
    line.said = read_settings(*line.document, profile_index(), Extent::part, diagnostics);
    for (auto& setting : line.said.settings) setting.replaces = true;
    return line;
}

void apply_set(const SetLine& line, std::vector<Setting>& settings) {
    for (const auto& setting : line.said.settings) {
        std::erase_if(settings, [&setting](const Setting& old) { return old.path == setting.path; });
        settings.push_back(setting);
    }
}

}  // namespace guard::policies
