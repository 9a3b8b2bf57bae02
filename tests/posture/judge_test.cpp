#include <gmock/gmock.h>

#include "posture/finding.h"

namespace guard {
namespace {

using namespace std::chrono;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kToday = 2026y / November / 24;

class JudgeTest : public testing::Test {
protected:
    std::vector<Finding> judged(Against against = Against::earlier) {
        const Case one{{.unit = "minecraft", .pid = 10, .tid = 10}, &from, &to, &origins, &waivers};
        return judge(std::span(&one, 1), against, kToday);
    }
    Posture from = nothing_granted(), to = nothing_granted();
    Origins origins;
    std::vector<Waiver> waivers;
};

TEST_F(JudgeTest, EqualPosturesGiveNoFinding) { EXPECT_THAT(judged(), IsEmpty()); }

TEST_F(JudgeTest, LooserAgainstARecordIsWeakerAndAgainstAProfileAViolation) {
    to.no_new_privs = Lock::open;
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_EQ(judged()[0].verdict, Verdict::weaker);
    EXPECT_EQ(judged()[0].severity, Severity::critical);
    EXPECT_EQ(judged(Against::profile)[0].verdict, Verdict::violation);
}

TEST_F(JudgeTest, ADroppedCapabilityIsInfo) {
    from.caps.bounding = CapabilitySet{1};
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_EQ(judged()[0].severity, Severity::info);
}

TEST_F(JudgeTest, APortThatNobodyListensOnIsNoFinding) {
    made(from.network.listen).all.insert("25565/tcp");
    EXPECT_THAT(judged(), IsEmpty());
}

TEST_F(JudgeTest, EqualFindingsOfManyTasksAreOneWithAllOfThemNamed) {
    to.no_new_privs = Lock::open;
    std::vector<Case> cases;
    for (int tid = 1; tid <= 3; ++tid)
        cases.push_back({{.unit = "minecraft", .pid = 1, .tid = tid}, &from, &to, nullptr, nullptr});
    const auto findings = judge(cases, Against::earlier, kToday);
    ASSERT_THAT(findings, SizeIs(1));
    EXPECT_THAT(findings[0].subjects, SizeIs(3));
}

TEST_F(JudgeTest, TheSameDriftInTwoContainersIsTwoFindings) {
    to.no_new_privs = Lock::open;
    const Case cases[] = {{{.unit = "minecraft"}, &from, &to}, {{.unit = "portfolio"}, &from, &to}};
    EXPECT_THAT(judge(cases, Against::earlier, kToday), SizeIs(2));
}

TEST_F(JudgeTest, TheWorstComesFirst) {
    to.umask = Exact<std::uint32_t>{0};
    to.no_new_privs = Lock::open;
    const auto findings = judged();
    ASSERT_THAT(findings, SizeIs(2));
    EXPECT_EQ(findings[0].severity, Severity::critical);
}

TEST_F(JudgeTest, AFindingNamesTheLineThatTheValueCameFrom) {
    origins["limits"] = {"minecraft.toml", 30, 1};
    origins["limits/memory"] = {"minecraft.toml", 31, 10};
    made(to.limits)["memory"].most = 6ULL << 30U;
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_EQ(format_where(judged()[0].where), "minecraft.toml:31:10");
}

TEST_F(JudgeTest, WhatNobodyWroteIsBuiltIn) {
    to.no_new_privs = Lock::open;
    EXPECT_EQ(format_where(judged()[0].where), "built in");
}

TEST_F(JudgeTest, AWaiverCountsUpToItsDayAndNoLonger) {
    made(to.mounts)["/"].grants.all.insert(MountGrant::exec);
    waivers = {{.finding = "mounts", .what = "/", .reason = "r", .owner = "alice", .expires = kToday}};
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_TRUE(judged()[0].waiver.has_value());
    waivers[0].expires = 2026y / November / 23;
    EXPECT_FALSE(judged()[0].waiver.has_value());
}

TEST_F(JudgeTest, AWaiverForOneMountDoesNotExcuseAnother) {
    made(to.mounts)["/srv"] = {.type = "tmpfs"};
    waivers = {{.finding = "mounts", .what = "/", .reason = "r", .owner = "alice"}};
    EXPECT_FALSE(judged()[0].waiver.has_value());
}

TEST_F(JudgeTest, UnknownCarriesItsReason) {
    to.caps.effective = Unknown{EACCES, "read /proc/41/status"};
    ASSERT_THAT(judged(), SizeIs(1));
    EXPECT_EQ(judged()[0].verdict, Verdict::unknown);
    EXPECT_EQ(judged()[0].reason, "read /proc/41/status: Permission denied");
}

}  // namespace
}  // namespace guard
