#include "report/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "posture/fields.h"
#include "report/grants_in_words.h"
#include "report/layout.h"

namespace guard::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Profile minecraft() {
    Profile profile{.name = "minecraft", .posture = nothing_granted()};
    profile.service.command = {"/bin/sh", "/srv/minecraft/start"};
    profile.service.network.mode = NetworkMode::bridge;
    made(profile.posture.network.publish).all = {"lan:25565:25565/tcp"};
    made(profile.posture.network.egress).all = {"dns", "sessionserver.mojang.com:443/tcp"};
    made(profile.posture.limits)["memory"] = {2ULL << 30U};
    profile.origins = {{"network.mode", {"/x/net-server.toml", 13, 11}},
                       {"network.publish", {"/x/minecraft.toml", 27, 12}},
                       {"limits.memory", {"/x/minecraft.toml", 31, 10}}};
    return profile;
}

std::string explained(const Profile& profile, std::vector<std::string> sections) {
    return explain_text(profile, sections, Detail::brief);
}

TEST(ExplainTest, EveryFieldOfAPostureHasWords) {
    const Posture posture = nothing_granted();
    each_field(posture,
               [](std::string_view name, const auto&) { EXPECT_NE(words_of(name), nullptr) << name; });
}

TEST(ExplainTest, TheNetworkIsToldAsWhoMayConnectToWhat) {
    const auto text = explained(minecraft(), {"network"});
    EXPECT_TRUE(text.starts_with("network "));
    EXPECT_THAT(text, HasSubstr("FROM\n"));
    EXPECT_THAT(text, HasSubstr("  own network, joined to this machine by a bridge"));
    EXPECT_THAT(text, HasSubstr("  people on the home network may connect to port 25565/tcp"));
    EXPECT_THAT(text, HasSubstr("  may connect to sessionserver.mojang.com:443/tcp"));
    EXPECT_THAT(text, HasSubstr("  other containers: none may connect"));
    EXPECT_THAT(text, HasSubstr("net-server.toml:13:11\n"));
    EXPECT_THAT(text, Not(HasSubstr("limits")));
}

TEST(ExplainTest, OneKeyShowsItsValueItsPlaceAndWhatItWouldBeWithout) {
    const auto text = explained(minecraft(), {"limits.memory"});
    EXPECT_THAT(text, HasSubstr("  memory: 2 GiB; above that the kernel ends the server"));
    EXPECT_THAT(text, HasSubstr("minecraft.toml:31:10\n"));
    EXPECT_THAT(text, HasSubstr("    without this line: 512 MiB"));
    EXPECT_THAT(text, Not(HasSubstr("cores")));
}

TEST(ExplainTest, AnEmptyProfileIsToldAsClosed) {
    const Profile empty{.name = "empty", .posture = nothing_granted()};
    const auto text = explained(empty, {});
    EXPECT_THAT(text, HasSubstr("no right of the administrator"));
    EXPECT_THAT(text, HasSubstr("no network but its own localhost"));
    EXPECT_THAT(text, HasSubstr("own user ids; none of them is one of this machine's users"));
}

TEST(ExplainTest, ACapabilityIsToldOnceByWhatItGives) {
    auto profile = minecraft();
    const CapabilitySet kill{1U << static_cast<unsigned>(CAP_KILL)};
    auto& caps = profile.posture.caps;
    caps.bounding = caps.permitted = caps.effective = caps.inheritable = caps.ambient = kill;
    const auto text = explained(profile, {"capabilities"});
    EXPECT_THAT(text, HasSubstr("may signal any process (CAP_KILL)"));
    EXPECT_THAT(text, Not(HasSubstr("bounding")));
}

TEST(ExplainTest, CallsAreGroupedByTheGroupThatAllowsThem) {
    auto profile = minecraft();
    auto& calls = made(profile.posture.seccomp.access).calls;
    for (const auto* name : {"openat", "read", "write"}) {
        calls[name].when = {Cube{}};
        profile.origins[std::string("seccomp.allow/") + name] = {"/x/base.toml", 19, 19};
    }
    profile.origins["seccomp.allow/@file"] = {"/x/base.toml", 19, 19};
    calls["ptrace"].when = {Cube{}};
    profile.origins["seccomp.allow/ptrace"] = {"/x/minecraft.toml", 9, 1};
    const auto text = explained(profile, {"seccomp"});
    EXPECT_THAT(text, HasSubstr("  @file: 3 calls"));
    EXPECT_THAT(text, HasSubstr("  by name: ptrace"));
    EXPECT_THAT(text, HasSubstr("  every other call: EPERM"));
    EXPECT_THAT(explain_text(profile, std::vector<std::string>{"seccomp"}, Detail::all),
                HasSubstr("@file: openat, read, write"));
}

TEST(ExplainTest, AMountIsToldByWhatItIsForTheOwner) {
    EXPECT_EQ(
        mount_in_words(
            {.type = "tmpfs", .grants = {{MountGrant::write, MountGrant::exec}}, .size = {64ULL << 20U}}),
        "empty at each start, at most 64 MiB, may be written, programs in it may run");
    EXPECT_EQ(mount_in_words({.type = "bind", .source = "/home/alice/music"}),
              "/home/alice/music of this machine, read-only");
}

TEST(ExplainTest, APublishedPortSaysWhoAndWhichInside) {
    EXPECT_EQ(published_in_words("localhost:8080:80/tcp"),
              "programs on this machine may connect to port 8080/tcp, which is 80 inside");
    EXPECT_EQ(published_in_words("[fd00::1]:53:53/udp"),
              "whoever reaches [fd00::1] may connect to port 53/udp");
}

TEST(ExplainTest, NoLineIsLongerThanThePage) {
    auto profile = minecraft();
    profile.service.env["LONG"] = std::string(40, 'a') + " " + std::string(70, 'b');
    const auto text = explained(profile, {});
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
        EXPECT_LE(width_of(text.substr(begin, text.find('\n', begin) - begin)), kPageWidth);
}

TEST(ExplainTest, JsonHoldsEachStatementWithItsPlace) {
    const std::vector<std::string> sections{"limits.memory"};
    const auto json = nlohmann::json::parse(explain_json(minecraft(), sections));
    EXPECT_EQ(json["statements"][0]["key"], "limits.memory");
    EXPECT_EQ(json["statements"][0]["where"]["line"], 31);
}

TEST(ExplainTest, AnUnknownSectionIsNotExplained) {
    EXPECT_FALSE(explains(minecraft(), "netwrok"));
    EXPECT_TRUE(explains(minecraft(), "network"));
    EXPECT_TRUE(explains(minecraft(), "limits.memory"));
    EXPECT_TRUE(explains(minecraft(), "waiver"));
}

}  // namespace
}  // namespace guard::report
