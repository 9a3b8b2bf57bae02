// Everything that says what a filter means says the same: the declared rules, guard's program and
// libseccomp's, the diagrams of each, and the interpreter. A small run here; a large one by
//   GUARD_FILTER_INPUTS=10000000 policies_test --gtest_filter='FilterAgreement*'
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <seccomp.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "policies/filter_compile.h"
#include "policies/filter_emit.h"
#include "policies/seccomp_condition.h"
#include "posture/filter/declared.h"
#include "posture/filter/interpreter.h"
#include "posture/filter/program_diagram.h"
#include "posture/filter/rules_diagram.h"
#include "posture/syscall_abi.h"
#include "tests/support/any_filter.h"
#include "tests/support/rules_file.h"

namespace guard::policies {
namespace {

using Op = Condition::Op;
using Program = std::vector<sock_filter>;

std::string any_number(std::mt19937& random) {
    static constexpr auto kNumbers = std::to_array<const char*>(
        {"0", "1", "2", "7", "8", "16", "255", "0x8000", "0xffff", "0x20000", "0x7e020000", "0x7fffffff"});
    return random() % 3 == 0 ? std::to_string(random() % 0x1'0000) : kNumbers.at(random() % kNumbers.size());
}

Condition any_condition(std::mt19937& random) {
    Condition condition{
        .arg = std::to_string(random() % 6), .mask = {}, .op = static_cast<Op>(random() % 4), .values = {}};
    if (random() % 3 == 0) condition.mask = any_number(random);
    const bool bound = condition.op == Op::at_least || condition.op == Op::at_most;
    for (std::size_t i = 0; i < (bound ? 1 : 1 + random() % 3); ++i)
        condition.values.push_back(any_number(random));
    return condition;
}

// Calls under rules of every operator, several rules a call, several conditions a rule.
FilterRules any_rules(std::mt19937& random) {
    FilterRules rules;
    for (std::size_t i = 0; i < 3 + random() % 20; ++i) {
        const auto call = std::string(syscalls()[random() % syscalls().size()].name);
        auto& when = rules.calls[call].when;
        for (std::size_t many = 0; many < 1 + random() % 2; ++many) {
            std::vector<Condition> conditions;
            for (std::size_t each = random() % 3; each > 0; --each)
                conditions.push_back(any_condition(random));
            const auto rule = rule_of(call, conditions);
            if (rule) when.insert(when.end(), rule->when.begin(), rule->when.end());
        }
        when = simplified(when);
        if (when.empty()) rules.calls.erase(call);
        if (random() % 4 == 0) rules.absent.insert(call);
    }
    rules.on_denied = kDenials.at(random() % kDenials.size()).denial;
    rules.on_unknown = kDenials.at(random() % kDenials.size()).denial;
    if (random() % 3 == 0) rules.abis.insert("i386");
    if (random() % 3 == 0) rules.abis.insert("x32");
    return rules;
}

// A filter in every form, and what is to be the same.
struct Forms {
    FilterRules rules;
    Program compiled;
    std::unique_ptr<Diagrams> diagrams = std::make_unique<Diagrams>();
    Diagrams::Node declared = 0, of_program = 0;
};

Forms forms_of(FilterRules rules) {
    Forms forms{.rules = std::move(rules), .compiled = {}};
    const auto bytes = compile_filter(forms.rules);
    if (!bytes) {
        EXPECT_NE(describe(bytes.error()).find("the kernel takes 4096"), std::string::npos)
            << describe(bytes.error());
        return forms;
    }
    forms.compiled = filter_program(*bytes).value();
    forms.declared = diagram_of(*forms.diagrams, forms.rules).value();
    forms.of_program = diagram_of(*forms.diagrams, forms.compiled).value();
    EXPECT_EQ(forms.declared, forms.of_program);
    return forms;
}

void agree(const Forms& forms, std::mt19937& random, std::size_t inputs) {
    for (std::size_t i = 0; i < inputs; ++i) {
        const auto data = support::any_input(random, forms.compiled);
        const auto declared = declared_answer(forms.rules, data);
        ASSERT_EQ(run_filter(forms.compiled, data).value(), declared);
        ASSERT_EQ(forms.diagrams->answer(forms.declared, data), declared);
    }
}

TEST(FilterAgreementTest, RulesOfEveryOperatorMeanTheSameInEveryForm) {
    const std::size_t inputs = support::inputs_to_try(10'000);
    const std::size_t each = std::max<std::size_t>(500, inputs / 200);
    const std::size_t seeds = inputs / each;
    for (unsigned seed = 0; seed < seeds; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937 random(seed);
        const auto forms = forms_of(any_rules(random));
        if (!forms.compiled.empty()) agree(forms, random, each);
        if (testing::Test::HasFailure()) return;
    }
}

TEST(FilterAgreementTest, ALargeFilterMeansTheSameInEveryForm) {
    const std::size_t inputs = support::inputs_to_try(20'000);
    std::mt19937 random(1);
    for (const bool others : {false, true}) {
        auto rules = support::rules_file("server.txt");
        if (others) rules.abis = {"native", "i386", "x32"};
        agree(forms_of(rules), random, inputs / 2);
    }
}

TEST(FilterAgreementTest, LibseccompsOwnProgramsAreReadAsTheInterpreterRunsThem) {
    const std::size_t inputs = support::inputs_to_try(20'000);
    std::mt19937 random(2);
    auto rules = support::rules_file("server.txt");
    rules.abis = {"native", "i386", "x32"};
    for (const auto search : {Search::linear, Search::tree}) {
        const auto program = filter_program(compile_with_libseccomp(rules, search).value()).value();
        Diagrams diagrams;
        const auto node = diagram_of(diagrams, program).value();
        for (std::size_t i = 0; i < inputs / 2; ++i) {
            const auto data = support::any_input(random, program);
            ASSERT_EQ(diagrams.answer(node, data), settled_answer(run_filter(program, data).value()));
        }
    }
}

// The tables of i386 and x32 against libseccomp's.
TEST(FilterAgreementTest, EachAbiHasTheCallsThatLibseccompKnows) {
    const auto names =
        std::to_array<std::pair<Abi, std::uint32_t>>({{Abi::i386, SCMP_ARCH_X86}, {Abi::x32, SCMP_ARCH_X32}});
    constexpr std::uint32_t last_of_libseccomp = 456;
    for (const auto& [abi, arch] : names)
        for (std::uint32_t i = 0; i < kEndOfNumbers; ++i) {
            const std::uint32_t number = abi == Abi::x32 ? kX32Bit + i : i;
            const auto* const row = find_syscall(abi, number);
            const std::unique_ptr<char, decltype(&std::free)> name(
                seccomp_syscall_resolve_num_arch(arch, static_cast<int>(number)), &std::free);
            if (!name && (row == nullptr || i <= last_of_libseccomp)) continue;
            ASSERT_NE(row, nullptr) << name.get();
            if (name) EXPECT_EQ(row->name, name.get());
        }
}

}  // namespace
}  // namespace guard::policies
