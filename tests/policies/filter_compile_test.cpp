#include "policies/filter_compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>
#include <seccomp.h>

#include <cstdlib>
#include <memory>
#include <random>

#include "posture/filter/declared.h"
#include "posture/filter/interpreter.h"
#include "posture/filter/proof.h"
#include "posture/syscalls.h"

namespace guard::policies {
namespace {

using testing::HasSubstr;

std::vector<sock_filter> compiled(const FilterRules& rules) {
    auto bytes = compile_filter(rules);
    if (!bytes) ADD_FAILURE() << describe(bytes.error());
    return bytes ? filter_program(*bytes).value() : std::vector<sock_filter>{};
}

std::uint32_t answer(std::span<const sock_filter> program, std::uint32_t number, std::uint64_t first = 0,
                     std::uint32_t arch = AUDIT_ARCH_X86_64) {
    return run_filter(program, {.nr = static_cast<int>(number), .arch = arch, .args = {first}}).value();
}

constexpr std::uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

FilterRules small_rules() {
    FilterRules rules;
    for (const auto* call : {"read", "write", "exit_group", "openat", "futex"})
        rules.calls[call] = {{Cube{}}};
    rules.calls["socket"] = {{{{0xffff'ffff}, {2}}}};
    rules.absent = {"clone3"};
    return rules;
}

TEST(FilterCompileTest, EachKindOfCallHasItsAnswer) {
    const auto program = compiled(small_rules());
    EXPECT_EQ(answer(program, 0), SECCOMP_RET_ALLOW);
    EXPECT_EQ(answer(program, 165), kEperm) << "mount";
    EXPECT_EQ(answer(program, 435), kEnosys) << "clone3";
    EXPECT_EQ(answer(program, 41, 2), SECCOMP_RET_ALLOW) << "socket(AF_INET)";
    EXPECT_EQ(answer(program, 41, 0xdead'0000'0002), SECCOMP_RET_ALLOW);
    EXPECT_EQ(answer(program, 41, 38), kEperm) << "socket(AF_ALG)";
}

TEST(FilterCompileTest, UnknownNumbersAreAnsweredAsSuch) {
    const auto program = compiled(small_rules());
    for (const std::uint32_t number : {335U, 400U, 423U, 457U, 511U, 1000U, 0x3fff'ffffU, ~0U})
        EXPECT_EQ(answer(program, number), kEnosys) << number;
}

TEST(FilterCompileTest, ForeignAbisAreKilledWithTheProcess) {
    const auto program = compiled(small_rules());
    for (const std::uint32_t number : {0U, 1U, 41U, 457U}) {
        EXPECT_EQ(answer(program, number, 0, AUDIT_ARCH_I386), SECCOMP_RET_KILL_PROCESS) << number;
        EXPECT_EQ(answer(program, number | 0x4000'0000U), SECCOMP_RET_KILL_PROCESS) << "x32 " << number;
        EXPECT_EQ(answer(program, number | 0x8000'0000U), SECCOMP_RET_KILL_PROCESS) << number;
    }
    EXPECT_EQ(answer(program, 0, 0, AUDIT_ARCH_AARCH64), SECCOMP_RET_KILL_PROCESS);
}

TEST(FilterCompileTest, EveryDenialIsWhatItSays) {
    for (const auto& [denial, name] : kDenials) {
        auto rules = small_rules();
        rules.on_denied = denial;
        EXPECT_EQ(answer(compiled(rules), 165), action_of(denial)) << name;
        rules = small_rules();
        rules.on_unknown = denial;
        EXPECT_EQ(answer(compiled(rules), 1000), action_of(denial)) << name;
        EXPECT_EQ(answer(compiled(rules), 165), kEperm) << name;
    }
}

TEST(FilterCompileTest, APartlyAllowedAbsentCallIsAbsentForTheRest) {
    auto rules = small_rules();
    rules.absent.insert("socket");
    const auto program = compiled(rules);
    EXPECT_EQ(answer(program, 41, 2), SECCOMP_RET_ALLOW);
    EXPECT_EQ(answer(program, 41, 3), kEnosys);
    EXPECT_EQ(answer(program, 41, 0x1'0000'0003), kEnosys);
}

TEST(FilterCompileTest, EmptyRulesDenyEverything) {
    const auto program = compiled(FilterRules{});
    EXPECT_EQ(answer(program, 0), kEperm);
    EXPECT_EQ(answer(program, 457), kEnosys);
}

TEST(FilterCompileTest, AnAbiLetInHasTheSameNamesAllowed) {
    auto rules = small_rules();
    rules.abis = {"native", "i386"};
    rules.calls["fcntl64"] = {{Cube{}}};
    const auto program = compiled(rules);
    EXPECT_EQ(answer(program, 3, 0, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW) << "read there";
    EXPECT_EQ(answer(program, 221, 0, AUDIT_ARCH_I386), SECCOMP_RET_ALLOW) << "fcntl64";
    EXPECT_EQ(answer(program, 21, 0, AUDIT_ARCH_I386), kEperm) << "mount there";
    EXPECT_EQ(answer(program, 0x4000'0000), SECCOMP_RET_KILL_PROCESS) << "x32 is still out";
}

TEST(FilterCompileTest, ACallOfAnotherArchitectureSaysNothingHere) {
    auto with = small_rules();
    with.calls["fcntl64"] = {{Cube{}}};
    EXPECT_EQ(compile_filter(with).value(), compile_filter(small_rules()).value());
}

TEST(FilterCompileTest, WrongNamesAreErrors) {
    auto rules = small_rules();
    rules.calls["opennat"] = {{Cube{}}};
    EXPECT_THAT(describe(compile_filter(rules).error()), HasSubstr("opennat"));
    rules = small_rules();
    rules.abis = {"native", "mips"};
    EXPECT_THAT(describe(compile_filter(rules).error()), HasSubstr("mips"));
    rules.abis = {"i386"};
    EXPECT_FALSE(compile_filter(rules));
}

TEST(FilterCompileTest, MoreThanTheKernelTakesIsAnErrorThatSaysSo) {
    FilterRules rules;
    std::mt19937_64 random(1);
    for (int i = 0; i < 5000; ++i) rules.calls["mmap"].when.push_back({{~0ULL}, {random()}});
    EXPECT_THAT(describe(compile_filter(rules).error()), HasSubstr("the kernel takes 4096"));
}

TEST(FilterCompileTest, EqualRulesGiveEqualBytes) {
    EXPECT_EQ(compile_filter(small_rules()).value(), compile_filter(small_rules()).value());
}

// The table of posture against libseccomp, which compiles by its numbers.
TEST(FilterCompileTest, LibseccompKnowsEveryCallByTheNumberOfTheTable) {
    for (const auto& row : syscalls()) {
        const int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, std::string(row.name).c_str());
        if (row.x86_64 >= 0)
            EXPECT_EQ(number, row.x86_64) << row.name;
        else
            EXPECT_LT(number, -1) << row.name;
    }
}

TEST(FilterCompileTest, TheTableHasEveryCallThatLibseccompKnowsUpToItsLast) {
    constexpr int last_of_table = 456;
    const auto architectures = std::to_array<std::uint32_t>(
        {SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64, SCMP_ARCH_ARM, SCMP_ARCH_RISCV64,
         SCMP_ARCH_S390X, SCMP_ARCH_PPC64, SCMP_ARCH_MIPS64, SCMP_ARCH_PARISC});
    for (const auto arch : architectures)
        for (int number = 0; number <= last_of_table; ++number) {
            const std::unique_ptr<char, decltype(&std::free)> name(
                seccomp_syscall_resolve_num_arch(arch, number), &std::free);
            EXPECT_TRUE(!name || find_syscall(name.get()) != nullptr) << name.get();
        }
}

// Rules made at random: calls, each always, never, or under a few cubes on few bits so that they overlap.
rc::Gen<Cube> any_cube() {
    return rc::gen::exec([] {
        Cube cube;
        const auto tests = *rc::gen::inRange(1, 4);
        for (int i = 0; i < tests; ++i) {
            const auto argument = *rc::gen::inRange(0, 6);
            const auto mask = *rc::gen::element<std::uint64_t>(0xffff'ffffULL, ~0ULL, 0x7e02'0000ULL, 0xfULL,
                                                               0x6ULL, 1ULL << 40U, 0xffff'ffff'0000'0000ULL,
                                                               0xff00'0000'0000'00ffULL);
            cube.mask.at(static_cast<std::size_t>(argument)) = mask;
            cube.value.at(static_cast<std::size_t>(argument)) =
                mask & *rc::gen::element<std::uint64_t>(0ULL, 1ULL, 2ULL, 7ULL, 0x1'0000'0001ULL,
                                                        0x1002'0000ULL, ~0ULL);
        }
        return cube;
    });
}

rc::Gen<FilterRules> any_rules() {
    return rc::gen::exec([] {
        FilterRules rules;
        const auto count = *rc::gen::inRange(0, 20);
        for (int i = 0; i < count; ++i) {
            const auto& row = *rc::gen::elementOf(syscalls());
            const auto cubes = *rc::gen::resize(3, rc::gen::container<std::vector<Cube>>(any_cube()));
            rules.calls[std::string(row.name)] = {cubes.empty() ? std::vector{Cube{}} : simplified(cubes)};
            if (*rc::gen::inRange(0, 4) == 0) rules.absent.insert(std::string(row.name));
        }
        rules.on_denied = (*rc::gen::elementOf(kDenials)).denial;
        rules.on_unknown = (*rc::gen::elementOf(kDenials)).denial;
        return rules;
    });
}

// Inputs at which a filter could differ from its rules: each value of each cube, each bit of it flipped.
void check_around(const FilterRules& rules, std::span<const sock_filter> program, int number,
                  const Cube& cube) {
    const auto check = [&](const std::array<std::uint64_t, 6>& args) {
        seccomp_data data{.nr = number, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = 0, .args = {}};
        std::ranges::copy(args, data.args);
        RC_ASSERT(run_filter(program, data).value() == declared_answer(rules, data));
    };
    check(cube.value);
    for (std::size_t i = 0; i < 6; ++i)
        for (unsigned bit = 0; bit < 64; ++bit) {
            auto args = cube.value;
            args[i] ^= 1ULL << bit;
            check(args);
        }
}

RC_GTEST_PROP(FilterCompileTest, TheProgramAnswersAsTheRulesDeclare, ()) {
    const auto rules = *any_rules();
    const auto bytes = compile_filter(rules);
    if (!bytes && bytes.error().reason.find("the kernel takes 4096") != std::string::npos) return;
    if (!bytes) RC_FAIL(describe(bytes.error()));
    const auto program = filter_program(*bytes).value();
    for (const auto& row : syscalls()) {
        if (row.x86_64 < 0) continue;
        const auto rule = rules.calls.find(std::string(row.name));
        if (rule == rules.calls.end()) {
            const seccomp_data data{.nr = row.x86_64, .arch = AUDIT_ARCH_X86_64};
            RC_ASSERT(run_filter(program, data).value() == declared_answer(rules, data));
            continue;
        }
        for (const auto& cube : rule->second.when) check_around(rules, program, row.x86_64, cube);
    }
}

RC_GTEST_PROP(FilterCompileTest, AnyInputIsAnsweredAsDeclared, ()) {
    const auto rules = small_rules();
    static const auto program = compiled(rules);
    seccomp_data data{};
    data.nr = *rc::gen::oneOf(rc::gen::arbitrary<int>(), rc::gen::inRange(0, 520));
    data.arch = *rc::gen::element<std::uint32_t>(AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, 0U);
    for (auto& argument : data.args) argument = *rc::gen::arbitrary<std::uint64_t>();
    RC_ASSERT(run_filter(program, data).value() == declared_answer(rules, data));
}

// The proof has to fail on programs that are wrong, or it proves nothing.
TEST(FilterProofTest, EveryChangedInstructionThatChangesAnAnswerIsFound) {
    const auto rules = small_rules();
    const auto good = compiled(rules);
    ASSERT_TRUE(prove_filter(rules, good));
    for (std::size_t i = 0; i < good.size(); ++i) {
        auto bad = good;
        if (BPF_CLASS(bad[i].code) != BPF_RET) continue;
        bad[i].k = bad[i].k == SECCOMP_RET_ALLOW ? kEperm : static_cast<std::uint32_t>(SECCOMP_RET_ALLOW);
        EXPECT_FALSE(prove_filter(rules, bad)) << "return at " << i;
    }
}

TEST(FilterProofTest, ARuleMoreOrLessIsFound) {
    const auto program = compiled(small_rules());
    auto more = small_rules();
    more.calls["mount"] = {{Cube{}}};
    EXPECT_FALSE(prove_filter(more, program));
    auto less = small_rules();
    less.calls.erase("futex");
    EXPECT_FALSE(prove_filter(less, program));
    auto other = small_rules();
    other.calls["socket"] = {{{{0xffff'ffff}, {10}}}};
    EXPECT_THAT(describe(prove_filter(other, program).error()), HasSubstr("socket"));
}

TEST(FilterProofTest, HighBitsComparedByMistakeAreFound) {
    auto strict = small_rules();
    strict.calls["socket"] = {{{{~0ULL}, {2}}}};
    EXPECT_FALSE(prove_filter(small_rules(), compiled(strict)));
}

TEST(FilterProofTest, AFilterThatDoesNotAskForTheAbiIsFound) {
    const std::vector<sock_filter> careless = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
    FilterRules rules{.calls = {{"read", {{Cube{}}}}}, .on_denied = Denial::kill, .on_unknown = Denial::kill};
    EXPECT_FALSE(prove_filter(rules, careless));
}

}  // namespace
}  // namespace guard::policies
