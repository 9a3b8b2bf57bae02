#include "posture/filter/diagram.h"

#include <gtest/gtest.h>
#include <linux/audit.h>

#include <cstddef>

namespace guard {
namespace {

using Node = Diagrams::Node;

Node bit_of_number(Diagrams& diagrams, unsigned from_low) {
    return diagrams.node(static_cast<unsigned>(InputWord::number) * 32 + 31 - from_low, Diagrams::kFalse,
                         Diagrams::kTrue);
}

TEST(FilterDiagramTest, InputsGoToWordsAndBack) {
    const seccomp_data data{.nr = 41,
                            .arch = AUDIT_ARCH_X86_64,
                            .instruction_pointer = 0x7fff'1234'5678,
                            .args = {0x1'0000'0002, 3, 4, 5, 6, ~0ULL}};
    const auto words = input_words(data);
    EXPECT_EQ(words[0], AUDIT_ARCH_X86_64);
    EXPECT_EQ(words[1], 41U);
    EXPECT_EQ(words[2], 1U) << "the high half comes first";
    EXPECT_EQ(words[3], 2U);
    EXPECT_EQ(words[14], 0x7fffU);
    const auto again = input_of(words);
    EXPECT_EQ(again.instruction_pointer, data.instruction_pointer);
    EXPECT_EQ(again.args[0], data.args[0]);
    EXPECT_EQ(input_word_at(offsetof(seccomp_data, args) + 4), 2U);
}

TEST(FilterDiagramTest, OneFunctionIsOneNodeHoweverItIsMade) {
    Diagrams diagrams;
    const Node low = bit_of_number(diagrams, 0);
    const Node high = bit_of_number(diagrams, 7);
    const Node one = diagrams.choose(low, high, Diagrams::kFalse);
    const Node other = diagrams.choose(high, low, Diagrams::kFalse);
    EXPECT_EQ(one, other);
    EXPECT_EQ(diagrams.choose(one, one, one), one);
    EXPECT_NE(one, diagrams.choose(low, Diagrams::kTrue, high));
}

TEST(FilterDiagramTest, AnswersAreReadBitByBit) {
    Diagrams diagrams;
    const Node node = diagrams.choose(bit_of_number(diagrams, 3), diagrams.leaf(7), diagrams.leaf(9));
    EXPECT_EQ(diagrams.answer(node, {.nr = 8}), 7U);
    EXPECT_EQ(diagrams.answer(node, {.nr = 15}), 7U);
    EXPECT_EQ(diagrams.answer(node, {.nr = 16}), 9U);
}

TEST(FilterDiagramTest, WhatDiffersIsFoundInTheOwnAbiFirst) {
    Diagrams diagrams;
    const Node condition = bit_of_number(diagrams, 0);
    EXPECT_FALSE(diagrams.differing_input(condition, condition));
    const auto input = diagrams.differing_input(condition, Diagrams::kFalse);
    ASSERT_TRUE(input);
    EXPECT_EQ(input->arch, AUDIT_ARCH_X86_64);
    EXPECT_EQ(input->nr, 1);
}

TEST(FilterDiagramTest, PairsKeepBothAnswers) {
    Diagrams diagrams;
    const Node paired = diagrams.paired(diagrams.leaf(5), bit_of_number(diagrams, 0));
    EXPECT_EQ(diagrams.pair(diagrams.answer(paired, {.nr = 1})), (Diagrams::Pair{5, 1}));
    EXPECT_EQ(diagrams.pair(diagrams.answer(paired, {.nr = 2})), (Diagrams::Pair{5, 0}));
}

struct Settled {
    const char* name;
    std::uint32_t answer, settled;
};
class SettledAnswerTest : public testing::TestWithParam<Settled> {};
TEST_P(SettledAnswerTest, IsWhatTheKernelActsOn) {
    EXPECT_EQ(settled_answer(GetParam().answer), GetParam().settled);
}
INSTANTIATE_TEST_SUITE_P(
    Each, SettledAnswerTest,
    testing::Values(Settled{"errno", SECCOMP_RET_ERRNO | 38, SECCOMP_RET_ERRNO | 38},
                    Settled{"errno_beyond_the_last", SECCOMP_RET_ERRNO | 5000, SECCOMP_RET_ERRNO | 4095},
                    Settled{"data_of_allow", SECCOMP_RET_ALLOW | 5, SECCOMP_RET_ALLOW},
                    Settled{"data_of_trap", SECCOMP_RET_TRAP | 5, SECCOMP_RET_TRAP | 5},
                    Settled{"data_of_trace", SECCOMP_RET_TRACE | 5, SECCOMP_RET_TRACE | 5},
                    Settled{"data_of_kill", SECCOMP_RET_KILL_THREAD | 5, SECCOMP_RET_KILL_THREAD},
                    Settled{"an_action_nobody_knows", 0x1234'0000, SECCOMP_RET_KILL_PROCESS}),
    [](const auto& test) { return test.param.name; });

TEST(FilterDiagramTest, BeyondItsNodesItSaysThatItDoesNotKnow) {
    Diagrams diagrams({.nodes = 100, .steps = 1'000'000});
    for (unsigned i = 0; i < 32; ++i)
        (void)diagrams.choose(bit_of_number(diagrams, i), diagrams.leaf(i + 2), diagrams.leaf(1000 + i));
    const auto checked = diagrams.check();
    ASSERT_FALSE(checked);
    EXPECT_NE(describe(checked.error()).find("not analysed"), std::string::npos);
    EXPECT_LE(diagrams.size(), 100U);
}

}  // namespace
}  // namespace guard
