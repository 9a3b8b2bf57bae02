#include "policies/schema.h"

#include <fmt/format.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "policies/key.h"
#include "policies/value_type.h"
#include "posture/capability.h"
#include "posture/limit.h"
#include "posture/syscalls.h"

namespace guard {
namespace {

using nlohmann::ordered_json;
using policies::Key;
using policies::KeyIndex;
using policies::Shape;
using policies::Type;

constexpr std::string_view kWithoutNul = "^[^\\u0000]*$";

ordered_json words_schema(const Key& key) {
    auto words = ordered_json::array();
    for (const auto word : policies::words_in(key.words)) words.push_back(word);
    return {{"enum", words}};
}

// Names that editors complete: each list stands once.
ordered_json definitions() {
    const auto named = [](const auto& rows) {
        auto names = ordered_json::array();
        for (const auto& row : rows) names.push_back(row.name);
        return ordered_json{{"enum", names}};
    };
    return {{"call", named(syscalls())}, {"capability", named(kCapabilities)}, {"limit", named(kRlimits)}};
}
ordered_json defined(std::string_view name) { return {{"$ref", fmt::format("#/definitions/{}", name)}}; }

// Texts of a type that is one of the lists, or, for a group, has its form.
std::optional<ordered_json> listed_schema(Type type) {
    if (type == Type::call) return defined("call");
    if (type == Type::capability) return defined("capability");
    if (type == Type::rlimit_name) return defined("limit");
    if (type != Type::call_or_group) return std::nullopt;
    const ordered_json group{{"type", "string"}, {"pattern", policies::type_info(Type::group).pattern}};
    return ordered_json{{"anyOf", ordered_json::array({defined("call"), group})}};
}

// TOML's dates reach a validator as text, or as a date-time at midnight.
ordered_json kind_schema(const Key& key, std::string_view kind) {
    const auto info = policies::type_info(key.type);
    if (kind == "date") return {{"type", "string"}, {"format", "date"}};
    if (auto listed = listed_schema(key.type)) return *listed;
    ordered_json schema{{"type", kind}};
    if (kind == "string") schema["pattern"] = info.pattern.empty() ? kWithoutNul : info.pattern;
    if (key.type == Type::cores) {
        schema["minimum"] = policies::kLeastCores;
        schema["maximum"] = policies::kMostCores;
    }
    const bool counts = key.type == Type::integer || key.type == Type::id || key.type == Type::size;
    if (kind != "integer" || !counts) return schema;
    schema["minimum"] = key.least;
    if (key.most != std::numeric_limits<std::int64_t>::max()) schema["maximum"] = key.most;
    if (key.type == Type::id) schema["maximum"] = 4'294'967'294;
    return schema;
}

ordered_json scalar_schema(const Key& key) {
    if (key.type == Type::word || key.type == Type::feature) return words_schema(key);
    auto choices = ordered_json::array();
    if (!key.words.empty() && key.shape == Shape::one) choices.push_back(words_schema(key));
    for (const auto kind : policies::words_in(policies::type_info(key.type).kinds))
        choices.push_back(kind_schema(key, kind));
    if (choices.size() == 1) return choices.front();
    return {{"anyOf", choices}};
}

ordered_json table_schema(const KeyIndex& index, const std::string& pattern);

ordered_json list_schema(const Key& key) {
    ordered_json list{{"type", "array"}, {"items", scalar_schema(key)}};
    const bool word_instead =
        !key.words.empty() && key.merge == policies::Merge::replace && key.type != Type::word;
    if (!word_instead) return list;
    return {{"anyOf", ordered_json::array({words_schema(key), list})}};
}

// What names a map may hold.
ordered_json names_schema(const Key& map) {
    return listed_schema(map.type).value_or(ordered_json{{"pattern", policies::type_info(map.type).pattern}});
}

ordered_json map_schema(const KeyIndex& index, const Key& key) {
    auto schema = table_schema(index, std::string(key.path));
    if (key.type == Type::text) return schema;
    const bool inherits = schema.contains("properties");  // `replace` stands beside the names
    schema["propertyNames"] =
        inherits ? ordered_json{{"anyOf", ordered_json::array({{{"const", "replace"}}, names_schema(key)})}}
                 : names_schema(key);
    return schema;
}

ordered_json key_schema(const KeyIndex& index, const Key& key) {
    const std::string path(key.path);
    switch (key.shape) {
        case Shape::one: return scalar_schema(key);
        case Shape::list: return list_schema(key);
        case Shape::tables: return {{"type", "array"}, {"items", table_schema(index, path + "[]")}};
        case Shape::table: return table_schema(index, path);
        case Shape::map: return map_schema(index, key);
    }
    return {};
}

void describe_key(ordered_json& schema, const Key& key) {
    schema["description"] = key.doc;
    const auto fallback = ordered_json::parse(key.fallback, nullptr, false);
    if (!fallback.is_discarded()) schema["default"] = fallback;
}

// `replace` stands in any table but those of a list, where nothing is inherited.
ordered_json replace_schema(const KeyIndex& index, const std::string& pattern) {
    ordered_json items{{"type", "string"}};
    auto names = ordered_json::array();
    for (const auto* key : index.children(pattern))
        if (policies::key_name(*key) != "*") names.push_back(policies::key_name(*key));
    if (!names.empty()) items = {{"enum", names}};
    return {{"type", "array"}, {"items", items}, {"description", "drops what was inherited for these keys"}};
}

ordered_json table_schema(const KeyIndex& index, const std::string& pattern) {
    ordered_json schema{{"type", "object"}};
    auto properties = ordered_json::object();
    auto required = ordered_json::array();
    ordered_json others = false;
    for (const auto* key : index.children(pattern)) {
        auto made = key_schema(index, *key);
        describe_key(made, *key);
        const std::string name(policies::key_name(*key));
        if (name == "*")
            others = std::move(made);
        else
            properties[name] = std::move(made);
        if (key->required) required.push_back(name);
    }
    const bool inherits = &index == &policies::profile_index() && !pattern.ends_with("[]");
    if (inherits) properties["replace"] = replace_schema(index, pattern);
    if (!properties.empty()) schema["properties"] = std::move(properties);
    if (!required.empty()) schema["required"] = std::move(required);
    schema["additionalProperties"] = std::move(others);
    return schema;
}

std::string whole_schema(const KeyIndex& index, std::string_view title) {
    ordered_json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", title}};
    schema.update(table_schema(index, ""));
    schema["definitions"] = definitions();
    return schema.dump(2) + "\n";
}

}  // namespace

std::string profile_schema() {
    return whole_schema(policies::profile_index(), "guard profile, language version 1");
}
std::string group_schema() {
    return whole_schema(policies::group_index(), "guard group of system calls, language version 1");
}

}  // namespace guard
