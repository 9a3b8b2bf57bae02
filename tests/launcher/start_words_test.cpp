#include "launcher/start_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/launched.h"

namespace guard::launcher {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const IpAddress kHome{IpFamily::v4, {192, 168, 1, 20}};

LaunchPlan plan_with(std::uint64_t memory, std::uint64_t microcores) {
    LaunchPlan plan;
    auto& limits = made(plan.expected.limits);
    limits["memory"] = {memory};
    limits["cpus"] = {microcores};
    plan.network.mode = NetworkMode::bridge;
    return plan;
}

NetworkPlan publishing(std::vector<std::string> words) {
    NetworkPlan plan;
    plan.publish = std::move(words);
    return plan;
}

TEST(StartWordsTest, GroupsOfSystemCallsAreNoParents) {
    Profile profile{.name = "minecraft"};
    profile.sources = {{"/etc/guard/profiles/minecraft.toml", "3f9c2a77"}};
    EXPECT_EQ(profile_line(profile, "/data"), "profile minecraft 3f9c2a (minecraft.toml), data /data");
    for (const auto* path :
         {"/usr/share/guard/profiles/base.toml", "/usr/share/guard/profiles/groups/base.toml"})
        profile.sources.push_back({path, "00"});
    EXPECT_EQ(profile_line(profile, "/data"),
              "profile minecraft 3f9c2a (minecraft.toml and 1 parent), data /data");
}

TEST(StartWordsTest, ALineSaysWhatHolds) {
    EXPECT_EQ(started_line(plan_with(2ULL << 30U, 2'000'000), std::chrono::microseconds(8200)),
              "started in 9 ms: own users, own network, no rights on this machine, 2 GiB, 2 cores");
}

TEST(StartWordsTest, WhatIsNotHeldIsNotClaimed) {
    LaunchPlan plan;
    plan.own_users = false;
    plan.network.mode = NetworkMode::host;
    plan.payload.bounding = 1ULL << CAP_NET_BIND_SERVICE;
    EXPECT_EQ(
        started_line(plan, std::chrono::milliseconds(7)),
        "started in 7 ms: the users of this machine, the network of this machine, CAP_NET_BIND_SERVICE, all "
        "memory, all cores");
}

TEST(StartWordsTest, OneCoreIsNotCores) {
    EXPECT_TRUE(started_line(plan_with(1, 1'000'000), std::chrono::milliseconds(1)).ends_with(", 1 core"));
}

TEST(StartWordsTest, APortOfTheLanIsToldWithTheAddressAtHomeAndWhatTheRouterNeeds) {
    EXPECT_THAT(
        reach_lines(publishing({"lan:25565:25565/tcp"}), kHome),
        ElementsAre(
            "at home     192.168.1.20:25565",
            "for friends forward TCP 25565 on the router to 192.168.1.20, then give them your address"));
}

TEST(StartWordsTest, EachPlaceHasALine) {
    EXPECT_THAT(reach_lines(publishing({"localhost:8080:80/tcp"}), kHome),
                ElementsAre("here        127.0.0.1:8080"));
    EXPECT_THAT(reach_lines(publishing({"any:19132:19132/udp"}), kHome),
                ElementsAre("everywhere  192.168.1.20:19132/udp and every other address of this machine"));
    EXPECT_THAT(reach_lines(publishing({"[fd00::1]:8000-8001:80-81/tcp"}), kHome),
                ElementsAre("there       [fd00::1]:8000-8001"));
    EXPECT_THAT(reach_lines(publishing({}), kHome), IsEmpty());
}

TEST(StartWordsTest, WithoutAnAddressAtHomeNoneIsMadeUp) {
    EXPECT_THAT(reach_lines(publishing({"lan:25565:25565/tcp"}), std::nullopt),
                ElementsAre("at home     port 25565, once this machine has a private address"));
}

}  // namespace
}  // namespace guard::launcher
