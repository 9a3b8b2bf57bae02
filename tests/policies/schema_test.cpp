#include "policies/schema.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/split.h"
#include "policies/enforcement.h"
#include "policies/key.h"
#include "policies/reference.h"

namespace guard {
namespace {

using nlohmann::json;

// Follows "filesystem.mounts.*.type" or "seccomp.rule[].when" through the schema; null where it ends early.
const json* follow(const json& schema, std::string_view path) {
    const json* at = &schema;
    for (auto part : split(path, '.')) {
        const bool item = part.ends_with("[]");
        if (item) part.remove_suffix(2);
        if (part == "*") {
            at = at->contains("additionalProperties") ? &at->at("additionalProperties") : nullptr;
        } else {
            const bool known = at->contains("properties") && at->at("properties").contains(std::string(part));
            at = known ? &at->at("properties").at(std::string(part)) : nullptr;
        }
        if (at != nullptr && item) at = &at->at("items");
        if (at == nullptr) return nullptr;
    }
    return at;
}

TEST(SchemaTest, EveryKeyOfTheTableIsInIt) {
    const auto schema = json::parse(profile_schema());
    for (const auto& key : policies::profile_keys()) EXPECT_NE(follow(schema, key.path), nullptr) << key.path;
    const auto group = json::parse(group_schema());
    for (const auto& key : policies::group_keys()) EXPECT_NE(follow(group, key.path), nullptr) << key.path;
}

TEST(SchemaTest, AnUnknownKeyIsNotAllowedAnywhere) {
    const auto schema = json::parse(profile_schema());
    EXPECT_EQ(schema.at("additionalProperties"), false);
    EXPECT_EQ(follow(schema, "limits")->at("additionalProperties"), false);
    EXPECT_EQ(follow(schema, "waiver[]")->at("additionalProperties"), false);
}

TEST(SchemaTest, WhatIsRequiredIsRequired) {
    EXPECT_EQ(json::parse(profile_schema()).at("required"), json({"guard"}));
}

TEST(ReferenceTest, EveryKeyOfTheTableHasARow) {
    const auto page = reference_page();
    for (const auto& key : policies::profile_keys()) {
        const bool section =
            key.path.find('.') == std::string_view::npos && key.shape == policies::Shape::table;
        const auto wanted =
            section ? "## [" + std::string(key.path) + "]" : "| `" + std::string(key.path) + "` |";
        EXPECT_THAT(page, testing::HasSubstr(wanted));
    }
}

TEST(KeyTest, EveryKeyHasASentence) {
    for (const auto& key : policies::profile_keys()) EXPECT_FALSE(key.doc.empty()) << key.path;
}

TEST(KeyTest, NoPathStandsTwice) {
    std::set<std::string_view> paths;
    for (const auto& key : policies::profile_keys()) EXPECT_TRUE(paths.insert(key.path).second) << key.path;
}

TEST(EnforcementTest, WhatLaunchCannotDoIsNamedWithItsPlace) {
    Profile profile;
    profile.service.network.mode = NetworkMode::pasta;
    profile.service.restart = Restart::always;
    profile.origins["network.mode"] = {"a.toml", 3, 8};
    const auto gaps = gaps_of(profile);
    ASSERT_EQ(gaps.size(), 2U);
    EXPECT_EQ(gaps[0].kind, Gap::Kind::refused);
    EXPECT_EQ(format_where(gaps[0].where), "a.toml:3:8");
    EXPECT_EQ(gaps[1].sentence, "service.restart is not acted on yet");
}

}  // namespace
}  // namespace guard
