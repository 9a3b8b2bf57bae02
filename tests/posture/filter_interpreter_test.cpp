#include "posture/filter/interpreter.h"

#include <gtest/gtest.h>
#include <linux/audit.h>

#include <cstddef>

namespace guard {
namespace {

seccomp_data call(int number, std::uint64_t first = 0) {
    return {.nr = number, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = 0, .args = {first}};
}

TEST(FilterInterpreterTest, HalvesOfAnArgumentAreReadInTheMachinesOrder) {
    const std::vector<sock_filter> program = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args) + 4), BPF_STMT(BPF_RET | BPF_A, 0)};
    EXPECT_EQ(run_filter(program, call(1, 0x12'0000'0034)), 0x12U);
}

TEST(FilterInterpreterTest, JumpsCompareWithoutSign) {
    const std::vector<sock_filter> program = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
                                              BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 5, 0, 1),
                                              BPF_STMT(BPF_RET | BPF_K, 1), BPF_STMT(BPF_RET | BPF_K, 2)};
    EXPECT_EQ(run_filter(program, call(-1)), 1U);
    EXPECT_EQ(run_filter(program, call(5)), 2U);
}

TEST(FilterInterpreterTest, ScratchMemoryAndArithmeticDoAsTheKernel) {
    const std::vector<sock_filter> program = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),  BPF_STMT(BPF_ST, 3),
        BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, 3), BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0),
        BPF_STMT(BPF_ALU | BPF_OR | BPF_K, 1),  BPF_STMT(BPF_RET | BPF_A, 0)};
    EXPECT_EQ(run_filter(program, call(6)), 37U);
}

TEST(FilterInterpreterTest, AShiftByXCountsItsLowFiveBits) {
    const std::vector<sock_filter> program = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_IMM, 3),
        BPF_STMT(BPF_ALU | BPF_LSH | BPF_X, 0), BPF_STMT(BPF_RET | BPF_A, 0)};
    EXPECT_EQ(run_filter(program, call(33)), 6U);
    const std::vector<sock_filter> wide = {BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 32),
                                           BPF_STMT(BPF_RET | BPF_A, 0)};
    EXPECT_FALSE(run_filter(wide, call(1)));
}

TEST(FilterInterpreterTest, WhatTheKernelRefusesIsAnError) {
    const std::vector<sock_filter> beyond = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof(seccomp_data)),
                                             BPF_STMT(BPF_RET | BPF_K, 0)};
    EXPECT_FALSE(run_filter(beyond, call(1)));
    const std::vector<sock_filter> endless = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0)};
    EXPECT_FALSE(run_filter(endless, call(1)));
    EXPECT_FALSE(filter_program("1234567"));
    EXPECT_FALSE(filter_program(""));
}

}  // namespace
}  // namespace guard
