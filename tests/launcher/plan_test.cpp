#include "launcher/plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "launcher/reaper.h"
#include "tests/support/launched.h"

namespace guard::launcher {
namespace {

HostFacts a_host() {
    HostFacts host;
    host.data = "/var/lib/guard/box";
    host.ids = {300'000, 65'536};
    host.landlock_abi = 6;
    host.private_paths = {"/run/guard", "/var/lib/guard", "/etc/guard"};
    for (auto& limit : host.rlimits) limit = {1024, 4096};
    host.paths["/bin"] = {PathFacts::Kind::link, 0, 0, "usr/bin"};
    host.paths["/proc/keys"] = {PathFacts::Kind::file, 0, 0, ""};
    host.paths["/proc/sys"] = {PathFacts::Kind::directory, 0, 0, ""};
    return host;
}

Result<LaunchPlan> planned(const Profile& profile, const HostFacts& host = a_host(),
                           std::vector<std::string> command = {"true"}) {
    return plan_from(profile, "box", command, host, {}, {});
}

Profile with_mount(const std::string& place, Mount mount) {
    auto profile = support::empty_profile("box");
    made(profile.posture.mounts)[place] = std::move(mount);
    return profile;
}

Mount writable_bind(const std::string& source) {
    Mount mount{.type = "bind", .source = source};
    mount.grants.all = {MountGrant::write};
    mount.idmap = true;
    return mount;
}

TEST(PlanTest, AnEmptyProfileGetsSevenOwnNamespaces) {
    const auto plan = planned(support::empty_profile("box"));
    ASSERT_TRUE(plan) << describe(plan.error());
    EXPECT_EQ(plan->namespaces,
              static_cast<std::uint64_t>(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET |
                                         CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP));
    EXPECT_EQ(plan->uid_map, "0 300000 65536\n");
}

TEST(PlanTest, TheCallersRightToRealTimeIsNotHandedOn) {
    const auto plan = planned(support::empty_profile("box"));
    ASSERT_TRUE(plan);
    EXPECT_EQ(value_of(plan->expected.rlimits)->at("rtprio").most, 0U);
    EXPECT_EQ(value_of(plan->expected.rlimits)->at("nice:soft").most, 0U);
    EXPECT_EQ(value_of(plan->expected.rlimits)->at("nofile").most, 4096U);
}

TEST(PlanTest, EveryMountOfThePlanIsInThePromise) {
    const auto plan = planned(support::empty_profile("box"));
    ASSERT_TRUE(plan);
    const auto* promised = value_of(plan->expected.mounts);
    ASSERT_NE(promised, nullptr);
    EXPECT_EQ(promised->size(), plan->mounts.size());
    for (const auto& mount : plan->mounts) EXPECT_TRUE(promised->contains(mount.place)) << mount.place;
}

TEST(PlanTest, ParentsAreMountedBeforeWhatLiesBelow) {
    const auto plan = planned(support::empty_profile("box"));
    ASSERT_TRUE(plan);
    for (std::size_t at = 0; at < plan->mounts.size(); ++at)
        for (std::size_t later = at + 1; later < plan->mounts.size(); ++later)
            EXPECT_FALSE(plan->mounts[at].place.starts_with(plan->mounts[later].place + "/"));
}

TEST(PlanTest, AWritableSourceOfHostRootIsRefused) {
    auto host = a_host();
    host.paths["/srv/www"] = {PathFacts::Kind::directory, 0, 0, ""};
    const auto plan = planned(with_mount("/srv/www", writable_bind("/srv/www")), host);
    ASSERT_FALSE(plan);
    EXPECT_NE(describe(plan.error()).find("belongs to root"), std::string::npos) << describe(plan.error());
}

TEST(PlanTest, AMissingSourceIsNamed) {
    const auto plan = planned(with_mount("/srv/www", writable_bind("/srv/gone")));
    ASSERT_FALSE(plan);
    EXPECT_NE(describe(plan.error()).find("/srv/gone"), std::string::npos);
    EXPECT_NE(plan.error().fix.find("create"), std::string::npos);
}

TEST(PlanTest, TheDataFolderMayBeMissingAndBelongsToTheUser) {
    const auto plan = planned(with_mount("/srv/data", writable_bind("{data}")));
    ASSERT_TRUE(plan) << describe(plan.error());
    EXPECT_TRUE(plan->make_data);
    const auto mount = std::ranges::find(plan->mounts, "/srv/data", &PlannedMount::place);
    ASSERT_NE(mount, plan->mounts.end());
    EXPECT_EQ(mount->mount.source, "/var/lib/guard/box");
    EXPECT_EQ(mount->source_uid, 300'999u);
}

TEST(PlanTest, GuardsOwnFoldersAreNotGivenToWrite) {
    for (const auto* source : {"/run/guard", "/etc", "/var/lib/guard/other", "/"}) {
        auto host = a_host();
        host.paths[source] = {PathFacts::Kind::directory, 1000, 1000, ""};
        EXPECT_FALSE(planned(with_mount("/srv/x", writable_bind(source)), host)) << source;
    }
}

TEST(PlanTest, CoreZeroIsOneBecausePipedHandlersRunAtZero) {
    const auto plan = planned(support::empty_profile("box"));
    ASSERT_TRUE(plan);
    EXPECT_EQ(value_of(plan->expected.rlimits)->at("core").most, 1u);
    EXPECT_EQ(value_of(plan->expected.rlimits)->at("core:soft").most, 1u);
}

TEST(PlanTest, MaxIsTheHardLimitOfThisHost) {
    auto profile = support::empty_profile("box");
    made(profile.posture.rlimits)["nofile"] = {kHostHardLimit};
    const auto plan = planned(profile);
    ASSERT_TRUE(plan);
    EXPECT_EQ(value_of(plan->expected.rlimits)->at("nofile").most, 4096u);
}

TEST(PlanTest, WithoutLandlockTheLaunchStopsUnlessOptional) {
    auto host = a_host();
    host.landlock_abi = 0;
    auto profile = support::empty_profile("box");
    EXPECT_FALSE(planned(profile, host));
    profile.service.optional.insert("landlock");
    const auto plan = planned(profile, host);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->notices.size(), 1u);
    EXPECT_TRUE(std::holds_alternative<Absent>(plan->expected.landlock.domain));
}

TEST(PlanTest, AnOlderLandlockGetsAShorterRulesetAndANotice) {
    auto host = a_host();
    host.landlock_abi = 2;
    const auto plan = planned(support::empty_profile("box"), host);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->landlock.attribute_size, 8u);
    EXPECT_EQ(plan->landlock.network, 0u);
    EXPECT_EQ(plan->landlock.scoped, 0u);
    EXPECT_EQ(plan->landlock.gaps.size(), 4u);
}

TEST(PlanTest, WritableMountsMayBeRenamedAcross) {
    const auto plan = planned(with_mount("/srv/data", writable_bind("{data}")));
    ASSERT_TRUE(plan);
    const auto rule = std::ranges::find(plan->landlock.rules, "/srv/data", &LandlockRule::place);
    ASSERT_NE(rule, plan->landlock.rules.end());
    constexpr std::uint64_t kRefer = 1U << 13U;
    EXPECT_NE(rule->access & kRefer, 0u);
}

TEST(PlanTest, AMapThatHoldsHostRootIsRefused) {
    auto profile = support::empty_profile("box");
    profile.posture.identity.uid_map = Grants<IdLine>{{{0, false, 0, 65'536}}};
    EXPECT_FALSE(planned(profile));
}

TEST(PlanTest, OnlyDeclaredEnvironmentGetsIn) {
    auto profile = support::empty_profile("box");
    profile.service.env_pass = {"TZ"};
    auto host = a_host();
    host.environment = {{"TZ", "UTC"}, {"LD_PRELOAD", "/evil.so"}};
    const auto plan = planned(profile, host);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->environment, (std::vector<std::string>{"HOME=/", "PATH=/usr/local/bin:/usr/bin:/bin",
                                                           "TZ=UTC", "USER=app"}));
}

TEST(PlanTest, ACommandWithoutSlashIsLookedForOnPath) {
    const auto plan = planned(support::empty_profile("box"), a_host(), {"node", "x.js"});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->programs,
              (std::vector<std::string>{"/usr/local/bin/node", "/usr/bin/node", "/bin/node"}));
}

TEST(PlanTest, AMissingStartFileSaysWhatToPutThere) {
    auto profile = with_mount("/srv/data", writable_bind("{data}"));
    auto host = a_host();
    host.paths["/var/lib/guard/box"] = {PathFacts::Kind::directory, 300'999, 300'999, ""};
    host.paths["/var/lib/guard/box/start"] = {};
    const auto plan = planned(profile, host, {"/bin/sh", "/srv/data/start"});
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().attempt, "start box: /var/lib/guard/box/start");
    EXPECT_NE(plan.error().fix.find("sudo tee /var/lib/guard/box/start"), std::string::npos);
}

TEST(PlanTest, CapabilitiesOfTheCommandSurviveExec) {
    auto profile = support::empty_profile("box");
    const CapabilitySet bind{1ULL << CAP_NET_BIND_SERVICE};
    profile.posture.caps.bounding = profile.posture.caps.permitted = profile.posture.caps.effective = bind;
    const auto plan = planned(profile);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->payload.ambient, bind.mask);
    EXPECT_EQ(value_of(plan->reaper.caps.bounding)->mask, 0u);
}

TEST(PlanTest, ThereIsNoCommandWithoutOne) {
    EXPECT_FALSE(planned(support::empty_profile("box"), a_host(), {}));
}

}  // namespace
}  // namespace guard::launcher
