#include "posture/record.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "posture/compare.h"

namespace guard {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

Posture full_posture() {
    auto posture = nothing_granted();
    posture.caps.bounding = CapabilitySet{(1ULL << CAP_CHOWN) | (1ULL << CAP_BPF)};
    made(posture.seccomp.access).calls["socket"] = {{Cube{.mask = {~0ULL}, .value = {~0ULL}}}};
    made(posture.mounts)["/srv"] = {
        .type = "bind", .source = "{data}", .grants = {{MountGrant::write}}, .mode = 0755};
    made(posture.namespaces)["pid"] = {Relation::To::peer, "portfolio"};
    made(posture.limits)["memory"].most.reset();
    posture.devices = Absent{"no device cgroup"};
    posture.revealed = Unknown{EACCES, "read mountinfo"};
    posture.oom_score_adj = Floor<int>{-5};
    return posture;
}

TEST(RecordTest, APostureComesBackEqual) {
    const auto back = posture_from_json(posture_to_json(full_posture()));
    ASSERT_TRUE(back) << describe(back.error());
    EXPECT_EQ(posture_to_json(*back), posture_to_json(full_posture()));
    auto expected = full_posture();
    auto seen = *back;
    expected.revealed = seen.revealed = Grants<std::string>{};
    EXPECT_THAT(compare(expected, seen), IsEmpty());
}

TEST(RecordTest, ARecordComesBackEqual) {
    Record record;
    record.name = "minecraft";
    record.launched.posture = full_posture();
    record.launched.service.command = {"/bin/sh", "a \xff b"};
    record.launched.service.env = {{"LANG", "C.UTF-8"}};
    record.launched.waivers = {
        {.finding = "mounts",
         .what = "/srv",
         .reason = "r",
         .owner = "a",
         .expires = std::chrono::year_month_day{std::chrono::year{2027}, std::chrono::month{6},
                                                std::chrono::day{30}},
         .where = {"f", 1, 2}}};
    record.launched.origins = {{"limits.memory", {"/p/web \"a\".toml", 3, 7}},
                               {"limits.pids", {"/p/base.toml", 4, 8}},
                               {"seccomp.lines/read", {"/p/base.toml", 5, 9}},
                               {"service.restart", {"--set", 0, 0}}};
    record.reaper = nothing_granted();
    record.bindings.init = {41, 12345678901234ULL, 99};
    record.bindings.own = {{"pid", 4026531836}};
    record.made = {{Made::Kind::veth, "gv-1", "guard0"}};
    record.filter = std::string("\0\xff\x20\x01", 4);
    const auto back = record_from_json(record_to_json(record));
    ASSERT_TRUE(back) << describe(back.error());
    EXPECT_EQ(back->filter, record.filter);
    EXPECT_EQ(back->bindings.init, record.bindings.init);
    EXPECT_EQ(back->made[0].kind, Made::Kind::veth);
    EXPECT_EQ(back->launched.origins, record.launched.origins);
    EXPECT_EQ(back->launched.waivers[0].expires, record.launched.waivers[0].expires);
    EXPECT_EQ(record_to_json(*back), record_to_json(*record_from_json(record_to_json(*back))));
}

TEST(RecordTest, AFieldThatAnOlderGuardDidNotKnowIsNotRecordedAndTheRestIs) {
    Record record;
    record.launched.posture = nothing_granted();
    auto json = nlohmann::json::parse(record_to_json(record));
    ASSERT_EQ(json["launched"]["posture"].erase("clocks"), 1U);
    const auto read = record_from_json(json.dump());
    ASSERT_TRUE(read) << describe(read.error());
    const auto* const missing = std::get_if<Unknown>(&read->launched.posture.clocks);
    ASSERT_NE(missing, nullptr);
    EXPECT_EQ(missing->why, kNotRecorded);
    EXPECT_NE(value_of(read->launched.posture.no_new_privs), nullptr);
}

TEST(RecordTest, WhatIsWrongIsNamedWithItsPath) {
    Record record;
    const auto good = record_to_json(record);
    const auto broken = [&good](const std::string& from, const std::string& to) {
        auto text = good;
        text.replace(text.find(from), from.size(), to);
        return text;
    };
    const std::pair<std::string, const char*> cases[] = {
        {"", "parse error"},
        {"[]", "guard: missing"},
        {"{}", "guard: missing"},
        {broken(R"("guard":1)", R"("guard":2)"), "guard: want version 1"},
        {broken(R"("start":0)", R"("start":"x")"), "start: want a whole number"},
        {broken(R"("start":0)", R"("start":-1)"), "start: number out of range"},
        {broken(R"("filter":"")", R"("filter":"0")"), "filter: an odd number"},
        {broken(R"("filter":"")", R"("filter":"zz")"), "filter: want hexadecimal"},
        {broken(R"("origins":{})", R"("origins":{"f":{"a":[1]}})"), "launched.origins.f.a: want 2 numbers"},
        {broken(R"("made":[])", R"("made":[{"kind":0}])"), "made.0.what: missing"},
    };
    for (const auto& [text, says] : cases) {
        const auto read = record_from_json(text);
        ASSERT_FALSE(read) << text;
        EXPECT_THAT(describe(read.error()), HasSubstr(says));
    }
}

}  // namespace
}  // namespace guard
