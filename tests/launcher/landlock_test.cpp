#include "launcher/landlock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>

namespace guard::launcher {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint64_t kRefer = 1ULL << 13U, kTruncate = 1ULL << 14U;

MountTree one_writable_mount() {
    Mount mount{.type = "tmpfs", .source = ""};
    mount.grants.all = {MountGrant::write};
    return {{"/", Mount{.type = "bind", .source = "/"}}, {"/tmp", mount}};
}
LandlockPlan planned(int abi) {
    auto posture = nothing_granted();
    posture.network.listen = Grants<std::string>{{"25565/tcp"}};
    return plan_landlock(posture, one_writable_mount(), abi);
}
std::uint64_t access_at(const LandlockPlan& plan, const std::string& place) {
    for (const auto& rule : plan.rules)
        if (rule.place == place) return rule.access;
    return 0;
}

// A ruleset larger than the kernel knows is E2BIG, an unknown right EINVAL: each version has its own size and
// rights.
TEST(LandlockTest, EachVersionIsAskedOnlyForWhatItHas) {
    struct {
        int abi;
        std::size_t size;
        std::uint64_t newest;
        bool ports, scopes;
    } const cases[]{{1, 8, LANDLOCK_ACCESS_FS_MAKE_SYM, false, false},
                    {2, 8, kRefer, false, false},
                    {3, 8, kTruncate, false, false},
                    {4, 16, kTruncate, true, false},
                    {5, 16, 1ULL << 15U, true, false},
                    {6, 24, 1ULL << 15U, true, true},
                    {7, 24, 1ULL << 15U, true, true}};
    for (const auto& row : cases) {
        const auto plan = planned(row.abi);
        EXPECT_EQ(plan.attribute_size, row.size) << row.abi;
        EXPECT_EQ(plan.files, row.newest * 2 - 1) << row.abi;
        EXPECT_EQ(plan.network != 0, row.ports) << row.abi;
        EXPECT_EQ(plan.scoped != 0, row.scopes) << row.abi;
    }
}

TEST(LandlockTest, WhatAnOlderKernelCannotHoldIsSaid) {
    EXPECT_THAT(planned(2).gaps, SizeIs(4));
    EXPECT_THAT(planned(2).gaps, Contains("ports that it may listen on"));
    EXPECT_THAT(planned(6).gaps, IsEmpty());
    EXPECT_FALSE(planned(0).enabled);
}

// Without REFER a rename from one directory to another is EXDEV, which programs take for another disk.
TEST(LandlockTest, RenamesBetweenDirectoriesAreGrantedWhereWritingIs) {
    EXPECT_NE(access_at(planned(2), "/tmp") & kRefer, 0U);
    EXPECT_EQ(access_at(planned(2), "/") & kRefer, 0U);
    EXPECT_EQ(access_at(planned(1), "/tmp") & kRefer, 0U) << "version 1 knows no such right";
}

TEST(LandlockTest, OnlyDeclaredPortsCanBeListenedOn) {
    EXPECT_THAT(planned(6).bind_ports, ElementsAre(25565));
}

}  // namespace
}  // namespace guard::launcher
