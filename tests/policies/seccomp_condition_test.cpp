#include "policies/seccomp_condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

namespace guard::policies {
namespace {

using Op = Condition::Op;
using testing::HasSubstr;

bool holds(const CallRule& rule, const std::array<std::uint64_t, 6>& arguments) {
    return std::ranges::any_of(rule.when, [&](const Cube& cube) {
        for (std::size_t i = 0; i < arguments.size(); ++i)
            if (((arguments[i] ^ cube.value[i]) & cube.mask[i]) != 0) return false;
        return true;
    });
}

// What a condition means, without cubes.
bool compared(Op op, std::uint64_t left, std::uint64_t right) {
    switch (op) {
        case Op::in: return left == right;
        case Op::not_in: return left != right;
        case Op::at_least: return left >= right;
        default: return left <= right;
    }
}

// A number near a power of two, or any: where comparisons go wrong.
rc::Gen<std::uint64_t> any_number() {
    const auto near =
        rc::gen::map(rc::gen::pair(rc::gen::inRange(0, 64), rc::gen::inRange(-2, 3)), [](auto p) {
            return (std::uint64_t{1} << static_cast<unsigned>(p.first)) +
                   static_cast<std::uint64_t>(p.second);
        });
    return rc::gen::oneOf(near, rc::gen::arbitrary<std::uint64_t>(), rc::gen::inRange<std::uint64_t>(0, 16));
}

RC_GTEST_PROP(SeccompConditionTest, CubesOfAComparisonAreTheComparison, ()) {
    const auto op = *rc::gen::element(Op::in, Op::not_in, Op::at_least, Op::at_most);
    const auto mask = *rc::gen::oneOf(rc::gen::just(~std::uint64_t{0}), any_number());
    const auto bound = *any_number() & (op == Op::in || op == Op::not_in ? mask : ~0ULL);
    // mmap's length has 64 bits.
    const auto rule = rule_of("mmap", {{"length", std::to_string(mask), op, {std::to_string(bound)}}});
    if (!rule) {
        RC_ASSERT(rule.error().attempt.find("never hold") != std::string::npos);
        return;
    }
    for (const auto base : {bound, bound & mask, bound ^ mask, ~bound}) {
        const auto value = base + *rc::gen::inRange<std::uint64_t>(0, 3) - 1;
        RC_ASSERT(holds(*rule, {0, value}) == compared(op, value & mask, bound));
    }
    const auto value = *any_number();
    RC_ASSERT(holds(*rule, {0, value}) == compared(op, value & mask, bound));
}

TEST(SeccompConditionTest, BitsAboveA32BitArgumentDoNotMatter) {
    const auto rule = rule_of("socket", {{"domain", {}, Op::in, {"AF_UNIX", "AF_INET"}}});
    ASSERT_TRUE(rule);
    EXPECT_TRUE(holds(*rule, {2}));
    EXPECT_TRUE(holds(*rule, {0x1'0000'0002}));
    EXPECT_FALSE(holds(*rule, {3}));
}

TEST(SeccompConditionTest, ARefusedValueIsRefusedWithHighBitsToo) {
    const auto rule = rule_of("ioctl", {{"request", {}, Op::not_in, {"TIOCSTI"}}});
    ASSERT_TRUE(rule);
    EXPECT_FALSE(holds(*rule, {0, 0x5412}));
    EXPECT_FALSE(holds(*rule, {0, 0xffff'ffff'0000'5412}));
    EXPECT_TRUE(holds(*rule, {0, 0x5413}));
}

TEST(SeccompConditionTest, AModeHasSixteenBits) {
    const auto rule = rule_of("chmod", {{"mode", {}, Op::not_in, {"S_ISUID"}}});
    ASSERT_TRUE(rule);
    EXPECT_FALSE(holds(*rule, {0, 0x1'0000 | 04000}));
}

TEST(SeccompConditionTest, AllConditionsMustHold) {
    const auto rule = rule_of("socket", {{"domain", {}, Op::in, {"AF_INET"}},
                                         {"type", "0xf", Op::in, {"SOCK_STREAM", "SOCK_DGRAM"}}});
    ASSERT_TRUE(rule);
    EXPECT_TRUE(holds(*rule, {2, 1 | 0x800}));
    EXPECT_FALSE(holds(*rule, {2, 3}));
    EXPECT_FALSE(holds(*rule, {1, 1}));
}

TEST(SeccompConditionTest, ConstantsAreJoinedByBars) {
    const auto rule = rule_of("clone", {{"flags", "CLONE_NEWUSER | CLONE_NEWNS", Op::in, {"0"}}});
    ASSERT_TRUE(rule);
    EXPECT_TRUE(holds(*rule, {0x3d0f00}));
    EXPECT_FALSE(holds(*rule, {0x1000'0000}));
    EXPECT_FALSE(holds(*rule, {0x0002'0000}));
}

TEST(SeccompConditionTest, MinusOneIsAllBitsOfTheArgument) {
    const auto rule = rule_of("personality", {{"persona", {}, Op::in, {"-1"}}});
    ASSERT_TRUE(rule);
    EXPECT_TRUE(holds(*rule, {0xffff'ffff}));
    EXPECT_FALSE(holds(*rule, {0}));
}

TEST(SeccompConditionTest, NoConditionIsAlways) {
    EXPECT_TRUE(rule_of("openat", {})->always());
    EXPECT_TRUE(rule_of("stat64", {}).has_value()) << "exists on other architectures";
}

struct Wrong {
    std::string name, call;
    Condition condition;
    std::string says, advises;
};
class WrongConditionTest : public testing::TestWithParam<Wrong> {};
TEST_P(WrongConditionTest, NamesTheWordAndTheNearestKnownOne) {
    const auto rule = rule_of(GetParam().call, {GetParam().condition});
    ASSERT_FALSE(rule);
    EXPECT_THAT(rule.error().attempt, HasSubstr(GetParam().says));
    EXPECT_THAT(rule.error().fix, HasSubstr(GetParam().advises));
}
INSTANTIATE_TEST_SUITE_P(
    Each, WrongConditionTest,
    testing::Values(
        Wrong{"Call", "opennat", {}, "unknown system call `opennat`", "`openat`"},
        Wrong{"Argument",
              "socket",
              {"domian", {}, Op::in, {"1"}},
              "`domian` is no argument of socket",
              "`domain`"},
        Wrong{"FarArgument", "socket", {"zzzzzz", {}, Op::in, {"1"}}, "`zzzzzz`", "domain, type, protocol"},
        Wrong{
            "Constant", "socket", {"domain", {}, Op::in, {"AF_INTE"}}, "`AF_INTE` is no value", "`AF_INET`"},
        Wrong{"OtherSet", "socket", {"type", {}, Op::in, {"AF_INET"}}, "`AF_INET` is no value", ""},
        Wrong{"Mask", "clone", {"flags", "CLONE_NEWUSR", Op::in, {"0"}}, "`CLONE_NEWUSR`", "`CLONE_NEWUSER`"},
        Wrong{"TooWide", "socket", {"domain", {}, Op::in, {"0x100000000"}}, "does not fit", "low 32 bits"},
        Wrong{"OutsideMask", "clone", {"flags", "0xf", Op::in, {"0x10"}}, "can never be", "without the bits"},
        Wrong{"TwoBounds", "mmap", {"length", {}, Op::at_least, {"1", "2"}}, "is one number", ""},
        Wrong{"Number", "mmap", {"length", {}, Op::at_least, {"12x"}}, "`12x`", ""},
        Wrong{"Overflow", "mmap", {"length", {}, Op::at_most, {"99999999999999999999"}}, "is no value", ""}),
    [](const auto& test) { return test.param.name; });

TEST(SeccompConditionTest, ContradictoryConditionsAreAnError) {
    const auto rule =
        rule_of("socket", {{"domain", {}, Op::in, {"AF_INET"}}, {"domain", {}, Op::in, {"AF_UNIX"}}});
    ASSERT_FALSE(rule);
    EXPECT_THAT(rule.error().attempt, HasSubstr("can never hold together"));
}

}  // namespace
}  // namespace guard::policies
