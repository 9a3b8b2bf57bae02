#include "policies/filter_build.h"

#include <gtest/gtest.h>

namespace guard::policies {
namespace {

Cube first_is(std::uint64_t value) { return {{0xffff'ffff}, {value}}; }

TEST(FilterBuildTest, DenyBeatsAllowWhereverItStands) {
    const auto rules =
        resolve({.allow = {{"mount", {Cube{}}}, {"read", {Cube{}}}}, .deny = {{"mount", {Cube{}}}}});
    EXPECT_FALSE(rules.calls.contains("mount"));
    EXPECT_TRUE(rules.calls.at("read").always());
}

TEST(FilterBuildTest, ADenyRuleTakesAwayItsArgumentsOnly) {
    const auto rules =
        resolve({.allow = {{"socket", {first_is(1), first_is(2)}}}, .deny = {{"socket", {first_is(2)}}}});
    EXPECT_EQ(rules.calls.at("socket"), CallRule{{first_is(1)}});
}

TEST(FilterBuildTest, AnUnconditionalAllowMakesRulesForTheCallNeedless) {
    const auto rules = resolve({.allow = {{"socket", {first_is(1), Cube{}, first_is(2)}}}});
    EXPECT_TRUE(rules.calls.at("socket").always());
}

TEST(FilterBuildTest, TheOrderOfRulesMeansNothing) {
    const auto one = resolve({.allow = {{"fcntl", {first_is(1), first_is(2), first_is(7)}}}});
    const auto other = resolve({.allow = {{"fcntl", {first_is(7), first_is(2), first_is(1)}}}});
    EXPECT_EQ(one, other);
}

TEST(FilterBuildTest, ACallAllowedForAllArgumentsIsNotAbsent) {
    const auto rules = resolve({.allow = {{"clone3", {Cube{}}}}, .absent = {"clone3", "openat2"}});
    EXPECT_EQ(rules.absent, std::set<std::string>{"openat2"});
}

}  // namespace
}  // namespace guard::policies
