// Feeds what is no sensible filter to whatever reads BPF: arbitrary bytes, and programs of up to 4096
// instructions that calculate and branch at random. Each may be refused or said to be not analysed, but must
// not crash, hang, take memory without end, or be answered wrongly. The same seed makes the same programs.
#include <gtest/gtest.h>
#include <linux/filter.h>

#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "policies/filter_emit.h"
#include "posture/filter/accepted.h"
#include "posture/filter/describe.h"
#include "posture/filter/difference.h"
#include "posture/filter/interpreter.h"
#include "posture/filter/program_diagram.h"
#include "tests/support/any_filter.h"

namespace guard {
namespace {

using Program = std::vector<sock_filter>;

// A fraction of the usual limits, so that many programs fit into the time of a test.
constexpr Diagrams::Limits kLimits{.nodes = 100'000, .steps = 1'000'000};

void check_agreement(std::mt19937& random, const Diagrams& diagrams, Diagrams::Node node,
                     const Program& program) {
    for (int i = 0; i < 50; ++i) {
        const auto data = support::any_input(random, program);
        ASSERT_EQ(diagrams.answer(node, data), settled_answer(run_filter(program, data).value()));
    }
}

TEST(FilterFuzz, ArbitraryBytesAreRefusedOrUnderstood) {
    std::size_t understood = 0;
    for (unsigned seed = 0; seed < 20'000; ++seed) {
        std::mt19937 random(seed);
        Program program(1 + random() % 6);
        for (auto& op : program) {
            const std::uint64_t bytes = static_cast<std::uint64_t>(random()) << 32U | random();
            std::memcpy(&op, &bytes, sizeof op);
            // Few codes are instructions: most of the time, one of low numbers.
            if (random() % 8 != 0) op.code &= 0xbf;
            if (random() % 2 == 0) op.k %= 70;
            if (random() % 2 == 0) op.jt = op.jf = 0;
        }
        if (random() % 2 == 0) program.back() = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        Diagrams diagrams(kLimits);
        const auto node = diagram_of(diagrams, program);
        if (!node) continue;
        ++understood;
        check_agreement(random, diagrams, *node, program);
    }
    EXPECT_GT(understood, 100U);
}

TEST(FilterFuzz, TheLargestProgramsStayWithinTheirLimits) {
    std::size_t understood = 0;
    for (unsigned seed = 0; seed < 40; ++seed) {
        std::mt19937 random(seed);
        const auto arithmetic = seed % 2 == 0 ? support::Arithmetic::light : support::Arithmetic::all;
        const auto program = support::any_filter(random, BPF_MAXINSNS, arithmetic);
        ASSERT_TRUE(check_accepted(program)) << "seed " << seed;
        Diagrams diagrams(kLimits);
        const auto node = diagram_of(diagrams, program);
        EXPECT_LE(diagrams.size(), kLimits.nodes);
        if (!node) continue;
        ++understood;
        check_agreement(random, diagrams, *node, program);
    }
    EXPECT_GT(understood, 4U);
}

// Whatever differs, however odd, is told within the limits, and emitted as it is or not at all.
TEST(FilterFuzz, DifferencesOfOddProgramsAreTold) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed);
        Diagrams diagrams(kLimits);
        const auto before = diagram_of(diagrams, support::any_filter(random, 40, support::Arithmetic::light));
        const auto after = diagram_of(diagrams, support::any_filter(random, 40, support::Arithmetic::light));
        if (!before || !after) continue;
        if (const auto changes = difference(diagrams, *before, *after))
            for (const auto& change : *changes) ASSERT_FALSE(change_in_words(change).empty());
        if (diagrams.exhausted()) continue;
        if (const auto program = policies::emit_filter(diagrams, *after)) {
            const auto again = diagram_of(diagrams, *program);
            if (again) ASSERT_EQ(*again, *after) << "seed " << seed;
        }
    }
}

}  // namespace
}  // namespace guard
