#include "posture/filter/program_diagram.h"

#include <gtest/gtest.h>
#include <linux/audit.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "posture/filter/accepted.h"
#include "posture/filter/interpreter.h"
#include "tests/support/any_filter.h"

namespace guard {
namespace {

using Program = std::vector<sock_filter>;
constexpr sock_filter kNumber = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
constexpr sock_filter ret(std::uint32_t answer) { return BPF_STMT(BPF_RET | BPF_K, answer); }

std::uint32_t answer(const Program& program, const seccomp_data& data) {
    Diagrams diagrams;
    const auto node = diagram_of(diagrams, program);
    if (!node) ADD_FAILURE() << describe(node.error());
    return node ? diagrams.answer(*node, data) : 0;
}

TEST(ProgramDiagramTest, ProgramsOfOneMeaningAreOneNode) {
    Diagrams diagrams;
    const Program equal = {kNumber, BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 59, 0, 1), ret(SECCOMP_RET_ALLOW),
                           ret(SECCOMP_RET_ERRNO | 1)};
    const Program between = {kNumber, BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 60, 2, 0),
                             BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 58, 0, 1), ret(SECCOMP_RET_ALLOW),
                             ret(SECCOMP_RET_ERRNO | 1)};
    EXPECT_EQ(diagram_of(diagrams, equal).value(), diagram_of(diagrams, between).value());
}

TEST(ProgramDiagramTest, DivisionByZeroKillsTheThread) {
    const Program program = {kNumber,
                             BPF_STMT(BPF_MISC | BPF_TAX, 0),
                             BPF_STMT(BPF_LD | BPF_IMM, 100),
                             BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 2),
                             BPF_STMT(BPF_ALU | BPF_AND | BPF_X, 0),
                             BPF_STMT(BPF_MISC | BPF_TAX, 0),
                             BPF_STMT(BPF_LD | BPF_IMM, 50),
                             BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
                             BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
                             BPF_STMT(BPF_RET | BPF_A, 0)};
    EXPECT_EQ(answer(program, {.nr = 0}), SECCOMP_RET_KILL_THREAD);
    EXPECT_EQ(answer(program, {.nr = 8}), SECCOMP_RET_ERRNO | 6U);
}

TEST(ProgramDiagramTest, ACalculatedAnswerNeedsNoLeafForEachNumber) {
    Diagrams diagrams;
    const Program program = {kNumber, BPF_STMT(BPF_RET | BPF_A, 0)};
    const auto node = diagram_of(diagrams, program);
    ASSERT_TRUE(node) << describe(node.error());
    EXPECT_EQ(diagrams.answer(*node, {.nr = 0x0005'0026}), SECCOMP_RET_ERRNO | 38U);
    EXPECT_EQ(diagrams.answer(*node, {.nr = 0x1234'5678}), SECCOMP_RET_KILL_PROCESS);
}

// What the kernel does with several filters, told by running each. seccomp(2)
std::uint32_t stacked_answer(const std::vector<Program>& oldest_first, const seccomp_data& data) {
    std::uint32_t result = SECCOMP_RET_ALLOW;
    const auto rank = [](std::uint32_t of) {
        return static_cast<std::int32_t>(of & SECCOMP_RET_ACTION_FULL);
    };
    for (auto program = oldest_first.rbegin(); program != oldest_first.rend(); ++program)
        if (const auto found = run_filter(*program, data).value(); rank(found) < rank(result)) result = found;
    return settled_answer(result);
}

TEST(ProgramDiagramTest, OfEqualActionsTheNewestFiltersDataCounts) {
    Diagrams diagrams;
    const std::vector<Program> stack = {{ret(SECCOMP_RET_ERRNO | 1)}, {ret(SECCOMP_RET_ERRNO | 38)}};
    EXPECT_EQ(diagram_of(diagrams, stack).value(), diagrams.leaf(SECCOMP_RET_ERRNO | 38U));
}

TEST(ProgramDiagramTest, AnUnknownActionRanksByItsNumberAndKillsTheProcess) {
    Diagrams diagrams;
    const std::vector<Program> with_errno = {{ret(SECCOMP_RET_ERRNO | 1)}, {ret(0x7ffe'0000)}};
    EXPECT_EQ(diagram_of(diagrams, with_errno).value(), diagrams.leaf(SECCOMP_RET_ERRNO | 1U));
    const std::vector<Program> with_allow = {{ret(SECCOMP_RET_ALLOW)}, {ret(0x7ffe'0000)}};
    EXPECT_EQ(diagram_of(diagrams, with_allow).value(), diagrams.leaf(SECCOMP_RET_KILL_PROCESS));
}

TEST(ProgramDiagramTest, NoFilterAllowsEverything) {
    Diagrams diagrams;
    EXPECT_EQ(diagram_of(diagrams, std::vector<Program>{}).value(), diagrams.leaf(SECCOMP_RET_ALLOW));
}

TEST(ProgramDiagramTest, WhatTheKernelRefusesIsRefused) {
    Diagrams diagrams;
    EXPECT_FALSE(diagram_of(diagrams, Program{kNumber}));
}

TEST(ProgramDiagramTest, TwoArgumentsComparedAreNotAnalysedRatherThanWrong) {
    Diagrams diagrams({.nodes = 50'000, .steps = 1'000'000});
    const Program program = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 16),
                             BPF_STMT(BPF_MISC | BPF_TAX, 0),
                             BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 24),
                             BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
                             ret(SECCOMP_RET_ALLOW),
                             ret(SECCOMP_RET_KILL_PROCESS)};
    const auto node = diagram_of(diagrams, program);
    ASSERT_FALSE(node);
    EXPECT_NE(describe(node.error()).find("not analysed"), std::string::npos);
}

TEST(ProgramDiagramTest, AFilterOfFourThousandJumpsIsFollowedToItsEnd) {
    Program program = {kNumber};
    for (std::uint32_t i = 0; program.size() < BPF_MAXINSNS - 2; ++i) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, i * 2, 0, 1));
        program.push_back(ret(SECCOMP_RET_ERRNO | (i % 100)));
    }
    program.push_back(ret(SECCOMP_RET_ALLOW));
    EXPECT_EQ(answer(program, {.nr = 4000}), SECCOMP_RET_ERRNO | 0U);
    EXPECT_EQ(answer(program, {.nr = 4001}), SECCOMP_RET_ALLOW);
}

// Each seed is one stack of programs; what is beyond the limits is counted, and must stay rare.
TEST(ProgramDiagramTest, AnswersAsTheInterpreterDoesOnProgramsMadeAtRandom) {
    const std::size_t inputs = support::inputs_to_try(100'000);
    const std::size_t inputs_each = std::max<std::size_t>(1000, inputs / 400);
    const std::size_t seeds = inputs / inputs_each;
    std::size_t beyond = 0;
    for (unsigned seed = 0; seed < seeds; ++seed) {
        std::mt19937 random(seed);
        Diagrams diagrams({.nodes = 200'000, .steps = 2'000'000});
        std::vector<Program> stack;
        for (std::size_t i = 0; i < 1 + seed % 3; ++i)
            stack.push_back(
                support::any_filter(random, 4 + random() % 60,
                                    seed % 2 == 0 ? support::Arithmetic::light : support::Arithmetic::all));
        for (const auto& program : stack) ASSERT_TRUE(check_accepted(program)) << "seed " << seed;
        const auto node = diagram_of(diagrams, stack);
        if (!node) {
            ++beyond;
            continue;
        }
        for (std::size_t i = 0; i < inputs_each; ++i) {
            const auto data = support::any_input(random, stack[i % stack.size()]);
            ASSERT_EQ(diagrams.answer(*node, data), stacked_answer(stack, data)) << "seed " << seed;
        }
    }
    RecordProperty("not_analysed", static_cast<int>(beyond));
    EXPECT_LT(beyond, seeds / 5 + 1);
}

}  // namespace
}  // namespace guard
