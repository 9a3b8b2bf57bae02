#include "posture/waivers.h"

#include <gmock/gmock.h>

namespace guard {
namespace {

using namespace std::chrono;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto kToday = 2026y / November / 24;

Finding finding(std::string_view id, std::string item, Severity severity = Severity::medium) {
    auto made = raise(id, {.unit = "web"}, "", "granted");
    made.item = std::move(item);
    made.severity = severity;
    return made;
}
Waiver waiver(std::string what, std::optional<year_month_day> expires = std::nullopt) {
    return {
        .finding = "mounts", .what = std::move(what), .reason = "r", .owner = "alice", .expires = expires};
}

TEST(WaiversTest, NeverIsOnlyForMediumAndBelow) {
    EXPECT_TRUE(is_in_force(waiver(""), Severity::medium, kToday));
    EXPECT_FALSE(is_in_force(waiver(""), Severity::high, kToday));
    EXPECT_TRUE(is_in_force(waiver("", kToday), Severity::critical, kToday));
    EXPECT_FALSE(is_in_force(waiver("", 2026y / November / 23), Severity::info, kToday));
}

TEST(WaiversTest, OneWithoutWhatCountsOnlyWhereItIsAboutOneFinding) {
    std::vector<Finding> one{finding("mounts", "/srv")};
    apply_waivers(one, std::vector{waiver("")}, kToday);
    EXPECT_TRUE(one[0].waiver.has_value());
    std::vector<Finding> two{finding("mounts", "/srv"), finding("mounts", "/tmp")};
    apply_waivers(two, std::vector{waiver("")}, kToday);
    EXPECT_FALSE(two[0].waiver.has_value());
}

TEST(WaiversTest, AMountIsMeantWithEverythingItGrantsButNoOtherMount) {
    EXPECT_TRUE(is_about(waiver("/srv"), finding("mounts", "/srv write")));
    EXPECT_FALSE(is_about(waiver("/srv"), finding("mounts", "/srv/www write")));
    EXPECT_FALSE(is_about(waiver("/srv"), finding("devices", "/srv")));
}

TEST(WaiversTest, EndingEndedAndUnusedAreEachTold) {
    const std::vector<Finding> grants{finding("mounts", "/srv write")};
    const auto ids = [&grants](const Waiver& one) {
        std::vector<std::string_view> all;
        for (const auto& told : waiver_findings({.unit = "web"}, std::vector{one}, grants, kToday))
            all.push_back(told.check->id);
        return all;
    };
    EXPECT_THAT(ids(waiver("/srv", 2027y / June / 30)), IsEmpty());
    EXPECT_THAT(ids(waiver("/srv")), IsEmpty());
    EXPECT_THAT(ids(waiver("/srv", 2026y / December / 8)), ElementsAre("waiver.ending"));
    EXPECT_THAT(ids(waiver("/srv", 2026y / December / 9)), IsEmpty());
    EXPECT_THAT(ids(waiver("/srv", 2026y / November / 23)), ElementsAre("waiver.expired"));
    EXPECT_THAT(ids(waiver("/tmp", 2027y / June / 30)), ElementsAre("waiver.unused"));
}

TEST(WaiversTest, NothingIsSaidOfTheUseOfOneForAnotherCommand) {
    auto other = waiver("x", 2027y / June / 30);
    other.finding = "process.foreign";
    EXPECT_THAT(waiver_findings({.unit = "web"}, std::vector{other}, {}, kToday), IsEmpty());
}

}  // namespace
}  // namespace guard
