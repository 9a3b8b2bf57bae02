#include "posture/filter/rules_diagram.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <cerrno>
#include <string>

#include "posture/filter/declared.h"
#include "posture/syscall_abi.h"

namespace guard {
namespace {

FilterRules small_rules() {
    FilterRules rules;
    for (const auto* call : {"read", "write", "exit_group", "socketcall", "ioctl"})
        rules.calls[call] = {{Cube{}}};
    rules.calls["socket"] = {{{{0xffff'ffff}, {2}}, {{~0ULL}, {0x1'0000'0007}}}};
    rules.absent = {"clone3", "socket"};
    return rules;
}

TEST(RulesDiagramTest, TheOrderOfCubesMeansNothing) {
    auto other = small_rules();
    std::swap(other.calls["socket"].when[0], other.calls["socket"].when[1]);
    Diagrams diagrams;
    EXPECT_EQ(diagram_of(diagrams, small_rules()).value(), diagram_of(diagrams, other).value());
}

TEST(RulesDiagramTest, ACubeInTwoHalvesIsTheCube) {
    auto halves = small_rules();
    halves.calls["read"] = {{{{1}, {0}}, {{1}, {1}}}};
    Diagrams diagrams;
    EXPECT_EQ(diagram_of(diagrams, small_rules()).value(), diagram_of(diagrams, halves).value());
}

TEST(RulesDiagramTest, AnotherAbiHasItsOwnNumbers) {
    auto rules = small_rules();
    rules.abis = {"native", "i386", "x32"};
    Diagrams diagrams;
    const auto node = diagram_of(diagrams, rules).value();
    EXPECT_EQ(diagrams.answer(node, {.nr = 102, .arch = AUDIT_ARCH_I386}), SECCOMP_RET_ALLOW) << "socketcall";
    EXPECT_EQ(diagrams.answer(node, {.nr = 102, .arch = AUDIT_ARCH_X86_64}), SECCOMP_RET_ERRNO | EPERM);
    EXPECT_EQ(diagrams.answer(node, {.nr = 0x4000'0000 + 514, .arch = AUDIT_ARCH_X86_64}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(diagrams.answer(node, {.nr = 0x4000'0000 + 16, .arch = AUDIT_ARCH_X86_64}),
              SECCOMP_RET_ERRNO | ENOSYS)
        << "ioctl's number of x86_64 is none of x32";
    EXPECT_EQ(diagrams.answer(node, {.nr = 0, .arch = AUDIT_ARCH_AARCH64}), SECCOMP_RET_KILL_PROCESS);
}

TEST(RulesDiagramTest, ThirtyTwoBitAbisAreAskedForLowHalves) {
    auto rules = small_rules();
    rules.abis = {"native", "i386"};
    Diagrams diagrams;
    const auto node = diagram_of(diagrams, rules).value();
    const auto answer = [&](std::uint64_t family) {
        return diagrams.answer(node, {.nr = 359, .arch = AUDIT_ARCH_I386, .args = {family}});
    };
    EXPECT_EQ(answer(2), SECCOMP_RET_ALLOW);
    EXPECT_EQ(answer(0xdead'0000'0002), SECCOMP_RET_ALLOW);
    EXPECT_EQ(answer(7), SECCOMP_RET_ERRNO | ENOSYS) << "bit 32 can't be set there";
}

RC_GTEST_PROP(RulesDiagramTest, AnswersAsDeclared, ()) {
    auto rules = small_rules();
    if (*rc::gen::arbitrary<bool>()) rules.abis.insert("i386");
    if (*rc::gen::arbitrary<bool>()) rules.abis.insert("x32");
    rules.on_denied = (*rc::gen::elementOf(kDenials)).denial;
    rules.on_unknown = (*rc::gen::elementOf(kDenials)).denial;
    Diagrams diagrams;
    const auto node = diagram_of(diagrams, rules).value();
    for (int i = 0; i < 200; ++i) {
        seccomp_data data{};
        data.nr = *rc::gen::oneOf(rc::gen::arbitrary<int>(), rc::gen::inRange(0, 560), rc::gen::just(-1),
                                  rc::gen::inRange(0x4000'0000, 0x4000'0000 + 560), rc::gen::just(41));
        data.arch =
            *rc::gen::element<std::uint32_t>(AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 0U);
        data.args[0] = *rc::gen::element<std::uint64_t>(0, 2, 7, 0x1'0000'0007, 0xffff'0000'0000'0002);
        RC_ASSERT(diagrams.answer(node, data) == settled_answer(declared_answer(rules, data)));
    }
}

}  // namespace
}  // namespace guard
