#include "posture/filter/accepted.h"

#include <gtest/gtest.h>
#include <linux/seccomp.h>

#include <string>
#include <vector>

namespace guard {
namespace {

using Program = std::vector<sock_filter>;
constexpr sock_filter kAllow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

struct Refused {
    const char* name;
    Program program;
    const char* why;
};
class RefusedFilterTest : public testing::TestWithParam<Refused> {};
TEST_P(RefusedFilterTest, IsNamedWithItsReason) {
    const auto checked = check_accepted(GetParam().program);
    ASSERT_FALSE(checked);
    EXPECT_NE(describe(checked.error()).find(GetParam().why), std::string::npos) << describe(checked.error());
}
INSTANTIATE_TEST_SUITE_P(
    Each, RefusedFilterTest,
    testing::Values(
        Refused{"nothing", {}, "0 instructions"}, Refused{"too_long", Program(4097, kAllow), "4097"},
        Refused{"a_packet", {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), kAllow}, "no such instruction"},
        Refused{"a_remainder", {BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), kAllow}, "no such instruction"},
        Refused{"behind_the_input", {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), kAllow}, "outside"},
        Refused{"between_words", {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), kAllow}, "outside"},
        Refused{"division_by_0", {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), kAllow}, "divides by 0"},
        Refused{"a_wide_shift", {BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), kAllow}, "more than 31"},
        Refused{"memory_16", {BPF_STMT(BPF_ST, 16), kAllow}, "16 words"},
        Refused{"unwritten_memory", {BPF_STMT(BPF_LD | BPF_MEM, 0), kAllow}, "never written"},
        Refused{"memory_written_on_one_way",
                {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0), BPF_STMT(BPF_ST, 0),
                 BPF_STMT(BPF_LD | BPF_MEM, 0), kAllow},
                "never written"},
        Refused{"a_jump_too_far", {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), kAllow}, "behind the end"},
        Refused{"no_return", {kAllow, BPF_STMT(BPF_LD | BPF_IMM, 1)}, "does not return"}),
    [](const auto& test) { return test.param.name; });

TEST(AcceptedFilterTest, MemoryWrittenOnEveryWayMayBeRead) {
    const Program program = {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
                             BPF_STMT(BPF_ST, 3),
                             BPF_STMT(BPF_JMP | BPF_JA, 1),
                             BPF_STMT(BPF_STX, 3),
                             BPF_STMT(BPF_LD | BPF_MEM, 3),
                             BPF_STMT(BPF_RET | BPF_A, 0)};
    EXPECT_TRUE(check_accepted(program));
}

}  // namespace
}  // namespace guard
