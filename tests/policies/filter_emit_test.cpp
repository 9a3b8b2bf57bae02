#include "policies/filter_emit.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "policies/filter_compile.h"
#include "posture/filter/accepted.h"
#include "posture/filter/interpreter.h"
#include "posture/filter/program_diagram.h"
#include "posture/filter/rules_diagram.h"
#include "tests/support/any_filter.h"
#include "tests/support/rules_file.h"

namespace guard::policies {
namespace {

TEST(FilterEmitTest, TheServersFilterMeansWhatLibseccompMakesOfIt) {
    const auto rules = support::rules_file("server.txt");
    Diagrams diagrams;
    const auto declared = diagram_of(diagrams, rules).value();
    const auto emitted = emit_filter(diagrams, declared).value();
    const auto other = filter_program(compile_with_libseccomp(rules).value()).value();
    EXPECT_EQ(diagram_of(diagrams, emitted).value(), declared);
    EXPECT_EQ(diagram_of(diagrams, other).value(), declared);
    RecordProperty("instructions", static_cast<int>(emitted.size()));
    RecordProperty("instructions_of_libseccomp", static_cast<int>(other.size()));
    EXPECT_LT(cost_of(emitted).value(), cost_of(other).value());
}

TEST(FilterEmitTest, ACallTakesAsManyStepsAsThereAreDoublings) {
    Diagrams diagrams;
    const auto rules = support::rules_file("server.txt");
    const auto emitted = emit_filter(diagrams, diagram_of(diagrams, rules).value()).value();
    EXPECT_LE(cost_of(emitted).value().longest, 24U);
}

TEST(FilterEmitTest, EveryFunctionMadeAtRandomIsEmittedAsItIs) {
    std::size_t emitted = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
        std::mt19937 random(seed);
        Diagrams diagrams;
        const auto function =
            diagram_of(diagrams, support::any_filter(random, 4 + seed % 40, support::Arithmetic::light));
        if (!function) continue;  // not analysed
        const auto program = emit_filter(diagrams, *function);
        if (!program) continue;  // too long
        ++emitted;
        ASSERT_TRUE(check_accepted(*program)) << "seed " << seed;
        ASSERT_EQ(diagram_of(diagrams, *program).value(), *function) << "seed " << seed;
    }
    EXPECT_GT(emitted, 80U);
}

TEST(FilterEmitTest, BitsThatMustBeClearAreOneInstruction) {
    Diagrams diagrams;
    const auto condition = condition_of(diagrams, {{{0x7e02'0000}, {0}}}, ~0ULL);
    const auto program = emit_filter(diagrams, condition).value();
    EXPECT_EQ(program.size(), 4U) << "load, test, two returns";
}

}  // namespace
}  // namespace guard::policies
