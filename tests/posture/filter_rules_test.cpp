#include "posture/filter_rules.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <sys/socket.h>
#include <algorithm>

namespace guard {
namespace {

// Eight bits all over the arguments: every set over them is checked point by point, 256 of them.
struct Bit {
    unsigned argument, bit;
};
constexpr auto kBits =
    std::to_array<Bit>({{0, 0}, {0, 1}, {0, 2}, {0, 31}, {0, 32}, {1, 63}, {5, 0}, {5, 7}});
constexpr unsigned kPoints = 1U << kBits.size();

std::array<std::uint64_t, 6> spread(unsigned bits) {
    std::array<std::uint64_t, 6> arguments{};
    for (std::size_t i = 0; i < kBits.size(); ++i)
        if ((bits >> i & 1U) != 0) arguments[kBits[i].argument] |= 1ULL << kBits[i].bit;
    return arguments;
}

Cube cube_of(unsigned mask, unsigned value) { return {spread(mask), spread(value)}; }

bool holds(const Cube& cube, const std::array<std::uint64_t, 6>& arguments) {
    for (std::size_t i = 0; i < arguments.size(); ++i)
        if (((arguments[i] ^ cube.value[i]) & cube.mask[i]) != 0) return false;
    return true;
}

bool holds(const std::vector<Cube>& cubes, unsigned point) {
    return std::ranges::any_of(cubes, [at = spread(point)](const Cube& cube) { return holds(cube, at); });
}

rc::Gen<Cube> any_cube() {
    const auto byte = rc::gen::inRange(0U, kPoints);
    return rc::gen::apply(cube_of, byte, byte);
}

rc::Gen<std::vector<Cube>> any_cubes() {
    return rc::gen::resize(6, rc::gen::container<std::vector<Cube>>(any_cube()));
}

RC_GTEST_PROP(FilterRulesTest, WithoutTakesAwayWhatIsTakenAndNothingElse, ()) {
    const auto from = *any_cubes();
    const auto take = *any_cubes();
    const auto rest = without(from, take);
    for (unsigned point = 0; point < kPoints; ++point)
        RC_ASSERT(holds(rest, point) == (holds(from, point) && !holds(take, point)));
}

RC_GTEST_PROP(FilterRulesTest, WithoutOneCubeLeavesDisjointPieces, ()) {
    const auto pieces = without(*any_cube(), *any_cube());
    for (unsigned point = 0; point < kPoints; ++point)
        RC_ASSERT(std::ranges::count_if(
                      pieces, [at = spread(point)](const Cube& cube) { return holds(cube, at); }) <= 1);
}

RC_GTEST_PROP(FilterRulesTest, BothIsWhatBothAllow, ()) {
    const auto one = *any_cubes();
    const auto other = *any_cubes();
    const auto common = both(one, other);
    for (unsigned point = 0; point < kPoints; ++point)
        RC_ASSERT(holds(common, point) == (holds(one, point) && holds(other, point)));
}

RC_GTEST_PROP(FilterRulesTest, SimplifiedMeansTheSameInNoMoreCubes, ()) {
    const auto cubes = *any_cubes();
    const auto fewer = simplified(cubes);
    RC_ASSERT(fewer.size() <= cubes.size());
    for (unsigned point = 0; point < kPoints; ++point) RC_ASSERT(holds(fewer, point) == holds(cubes, point));
}

RC_GTEST_PROP(FilterRulesTest, SimplifiedDoesNotDependOnOrder, ()) {
    auto cubes = *any_cubes();
    const auto before = simplified(cubes);
    std::ranges::reverse(cubes);
    RC_ASSERT(simplified(cubes) == before);
}

RC_GTEST_PROP(FilterRulesTest, ImpliesIsTrueExactlyWhereEveryPointDoes, ()) {
    const CallRule inner{*any_cubes()};
    const CallRule outer{*rc::gen::oneOf(any_cubes(), rc::gen::just(inner.when))};
    bool expected = true;
    for (unsigned point = 0; point < kPoints; ++point)
        expected = expected && (!holds(inner.when, point) || holds(outer.when, point));
    RC_ASSERT(implies(inner, outer) == expected);
}

TEST(FilterRulesTest, WithoutSplitsAnEmptyCubeIntoOnePieceForEachBit) {
    Cube all_bits;
    all_bits.mask.fill(~0ULL);
    EXPECT_EQ(without(Cube{}, all_bits).size(), 384U);
}

TEST(FilterRulesTest, ValuesOfOneArgumentAreListedByName) {
    CallRule rule;
    for (const std::uint64_t family : {AF_UNIX, AF_INET, AF_INET6})
        rule.when.push_back({{0xffff'ffff}, {family}});
    EXPECT_EQ(describe_rule("socket", rule), "domain is AF_UNIX, AF_INET or AF_INET6");
}

TEST(FilterRulesTest, JoinedCubesAreStillListedByName) {
    std::vector<Cube> cubes;
    for (const std::uint64_t family : {AF_UNIX, AF_INET, AF_INET6})
        cubes.push_back({{0xffff'ffff}, {family}});
    EXPECT_EQ(describe_rule("socket", {simplified(cubes)}), "domain is AF_UNIX, AF_INET or AF_INET6");
}

TEST(FilterRulesTest, ConditionsOnTwoArgumentsAreToldAsTwo) {
    CallRule rule;
    for (const std::uint64_t family : {AF_INET, AF_INET6})
        for (const std::uint64_t type : {SOCK_STREAM, SOCK_DGRAM})
            rule.when.push_back({{0xffff'ffff, 0xf}, {family, type}});
    EXPECT_EQ(describe_rule("socket", rule),
              "domain is AF_INET or AF_INET6 and type & 0xf is SOCK_STREAM or SOCK_DGRAM");
}

TEST(FilterRulesTest, BitsThatMustBeClearAreNamed) {
    EXPECT_EQ(describe_rule("clone", {{{{0x1002'0000}, {0}}}}), "flags has no CLONE_NEWNS or CLONE_NEWUSER");
    EXPECT_EQ(describe_rule("mprotect", {{{{0, 0, 6}, {0, 0, 6}}}}), "prot has PROT_WRITE and PROT_EXEC");
}

TEST(FilterRulesTest, AllValuesButOneAreToldByThatOne) {
    const auto all_but_eight = without(std::vector{Cube{}}, {{{0xffff'ffff}, {8}}});
    EXPECT_EQ(describe_rule("personality", {all_but_eight}), "persona is not PER_LINUX32");
}

TEST(FilterRulesTest, AlwaysAndNeverAreWords) {
    EXPECT_EQ(describe_rule("openat", {{Cube{}}}), "always");
    EXPECT_EQ(describe_rule("openat", {}), "never");
}

TEST(FilterRulesTest, ACallWithoutNamedArgumentsIsDescribedByPlace) {
    EXPECT_EQ(describe_rule("socketcall", {{{{~0ULL}, {1}}}}), "argument 0 is 1");
}

TEST(FilterRulesTest, WritableAndExecutableAtOnceNeedsACallThatTakesBothBits) {
    const auto rules = [](std::uint64_t mask, std::uint64_t value) {
        Cube cube;
        cube.mask[2] = mask;
        cube.value[2] = value;
        return FilterRules{.calls = {{"mprotect", {{cube}}}}};
    };
    EXPECT_FALSE(allows_write_exec(FilterRules{}));
    EXPECT_FALSE(allows_write_exec(rules(0x6, 0x2)));
    EXPECT_FALSE(allows_write_exec(rules(0x4, 0x0)));
    EXPECT_TRUE(allows_write_exec(rules(0x6, 0x6)));
    EXPECT_TRUE(allows_write_exec(rules(0x1, 0x1)));
    EXPECT_TRUE(allows_write_exec(rules(0, 0)));
}

}  // namespace
}  // namespace guard
