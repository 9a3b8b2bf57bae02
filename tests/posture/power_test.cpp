#include "posture/power.h"

#include <gtest/gtest.h>

#include "posture/compare.h"

namespace guard {
namespace {

constexpr std::uint64_t kEverything = (1ULL << 41U) - 1;

/// What a task holds beyond nothing granted, in the machine's namespaces or not.
std::vector<Change> grants_with(std::uint64_t permitted, Relation::To users, std::uint32_t uid = 999) {
    auto posture = nothing_granted();
    posture.caps.permitted = CapabilitySet{permitted};
    posture.identity.uid = Exact<std::uint32_t>{uid};
    std::get<Named<Relation>>(posture.namespaces)["user"] = {users, ""};
    return compare(nothing_granted(), posture);
}

TEST(PowerTest, NothingGrantedReachesLittle) {
    EXPECT_EQ(farthest_power({}).power, Power::little);
    EXPECT_EQ(farthest_power({}).why, "");
}

TEST(PowerTest, TheFarthestRightIsTheReason) {
    const auto found = farthest_power(grants_with(1ULL << 12U | 1ULL << 21U, Relation::To::host));
    EXPECT_EQ(found.power, Power::machine);
    EXPECT_EQ(found.why, "mounts, and enters whatever it likes (SYS_ADMIN)");
}

TEST(PowerTest, RootOfItsOwnUserNamespaceIsNotRoot) {
    EXPECT_EQ(farthest_power(grants_with(kEverything, Relation::To::own, 100'000)).power, Power::little);
}

TEST(PowerTest, ThisMachinesRootIsRootInAnyUserNamespace) {
    EXPECT_EQ(farthest_power(grants_with(0, Relation::To::own, 0)).power, Power::machine);
}

TEST(PowerTest, AllRightsAreToldAsAll) {
    EXPECT_EQ(farthest_power(grants_with(kEverything, Relation::To::host, 0)).why,
              "holds every right on this machine");
}

TEST(PowerTest, ASocketThatGivesEverythingAwayIsToldFirst) {
    auto grants = grants_with(kEverything, Relation::To::host, 0);
    grants.push_back({"network.listen", "/run/docker.sock", Shift::looser, "", "granted"});
    EXPECT_EQ(farthest_power(grants).why, "its socket makes anyone root");
    EXPECT_TRUE(is_control_socket("/var/run/docker.sock"));
    EXPECT_FALSE(is_control_socket("/run/dbus/system_bus_socket"));
}

TEST(PowerTest, EachPowerHasItsRow) {
    for (std::size_t at = 0; at < powers().size(); ++at)
        EXPECT_EQ(powers()[at].power, static_cast<Power>(at)) << at;
    EXPECT_EQ(power_name(Power::machine), "whole machine");
}

}  // namespace
}  // namespace guard
