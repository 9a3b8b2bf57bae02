#include "posture/filter/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>

#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include "posture/filter/describe.h"
#include "posture/filter/interpreter.h"
#include "posture/filter/program_diagram.h"
#include "posture/filter/rules_diagram.h"
#include "tests/support/any_filter.h"
#include "tests/support/rules_file.h"

namespace guard {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;

// Two filters side by side in one arena.
struct Sides {
    Diagrams diagrams;
    Diagrams::Node before = 0, after = 0;
    std::vector<FilterChange> changes() { return difference(diagrams, before, after).value(); }
    std::vector<std::string> words() {
        std::vector<std::string> words;
        for (const auto& change : changes()) words.push_back(change_in_words(change));
        return words;
    }
};

Sides sides_of(const FilterRules& before, const FilterRules& after) {
    Sides sides;
    sides.before = diagram_of(sides.diagrams, before).value();
    sides.after = diagram_of(sides.diagrams, after).value();
    return sides;
}

std::vector<std::string> words_between(const FilterRules& before, const FilterRules& after) {
    return sides_of(before, after).words();
}

FilterRules server() { return support::rules_file("server.txt"); }

Cube one(std::uint64_t mask, std::uint64_t value) { return {{mask}, {value}}; }

TEST(FilterDifferenceTest, EqualMeaningsHaveNoChange) {
    auto other = server();
    other.calls["read"] = {{one(1, 0), one(1, 1)}};
    EXPECT_THAT(words_between(server(), other), IsEmpty());
}

// A change of a large filter in five places: exactly these are named.
TEST(FilterDifferenceTest, ExactlyWhatChangedIsNamed) {
    auto head = server();
    for (const auto* call : {"io_uring_setup", "io_uring_enter"}) head.calls[call] = {{Cube{}}};
    head.calls["clone"] = {{one(0x6e02'0000, 0)}};
    head.calls["personality"].when.push_back(one(0xffff'ffff, 0x4'0000));
    head.calls["socket"] = {{one(0xffff'fff0, 0)}};
    head.calls.erase("mincore");
    EXPECT_THAT(
        words_between(server(), head),
        ElementsAre("mincore: allowed -> refused (EPERM), any arguments",
                    "socket: allowed -> refused (EPERM), where domain is 0x10 (AF_NETLINK) to 0x25, AF_NFC "
                    "or at least 0x29 (AF_KCM)",
                    "clone: refused (EPERM) -> allowed, where flags has CLONE_NEWUSER and no CLONE_NEWNS, "
                    "CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID or CLONE_NEWNET",
                    "personality: refused (EPERM) -> allowed, where persona is ADDR_NO_RANDOMIZE",
                    "io_uring_setup: refused (EPERM) -> allowed, any arguments",
                    "io_uring_enter: refused (EPERM) -> allowed, any arguments"));
}

TEST(FilterDifferenceTest, AnotherErrnoIsAnotherFailureAndNoAccess) {
    auto head = server();
    head.absent.insert("bpf");
    auto sides = sides_of(server(), head);
    const auto changes = sides.changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(change_in_words(changes[0]), "bpf: refused (EPERM) -> refused (ENOSYS), any arguments");
    EXPECT_EQ(changes[0].effect, Effect::changed_failure);
    EXPECT_FALSE(changes[0].looser);
    EXPECT_EQ(new_access(sides.diagrams, sides.before, sides.after).value(), std::nullopt);
}

TEST(FilterDifferenceTest, UnknownNumbersAreOneChangeWithItsIntervals) {
    auto head = server();
    head.on_unknown = Denial::allow_and_log;
    EXPECT_THAT(
        words_between(server(), head),
        ElementsAre("calls 0x14f-0x1a7, 0x1c9 and above and -1: refused (ENOSYS) -> allowed and logged, "
                    "any arguments"));
}

TEST(FilterDifferenceTest, AnAbiLetInIsToldInItsOwnNames) {
    auto head = server();
    head.abis.insert("i386");
    const auto words = words_between(server(), head);
    EXPECT_THAT(words, Contains("socketcall of i386: the process is killed -> allowed, any arguments"));
    EXPECT_THAT(words, Contains("clone3 of i386: the process is killed -> refused (ENOSYS), any arguments"));
    EXPECT_THAT(words, Contains("socket of i386: the process is killed -> allowed, where domain is none of "
                                "AF_ALG or AF_VSOCK"));
}

TEST(FilterDifferenceTest, AFilterThatDoesNotAskForTheAbiIsToldForEach) {
    Sides sides;
    const std::vector<std::vector<sock_filter>> before = {{BPF_STMT(BPF_RET | BPF_K, kAllow)}};
    auto stack = before;
    stack.push_back({BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 170, 0, 1),
                     BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS), BPF_STMT(BPF_RET | BPF_K, kAllow)});
    sides.before = diagram_of(sides.diagrams, before).value();
    sides.after = diagram_of(sides.diagrams, stack).value();
    EXPECT_THAT(
        sides.words(),
        ElementsAre("sethostname: allowed -> the process is killed, any arguments",
                    "setresgid of i386: allowed -> the process is killed, any arguments",
                    "call 0xaa of another architecture: allowed -> the process is killed, any arguments"));
}

TEST(FilterDifferenceTest, ASupervisedCallIsToldFromAnAllowedOne) {
    EXPECT_EQ(effect_of(SECCOMP_RET_USER_NOTIF, kAllow), Effect::changed_supervision);
    EXPECT_TRUE(is_more_permissive(SECCOMP_RET_USER_NOTIF, kAllow));
    EXPECT_EQ(effect_of(kEperm, SECCOMP_RET_USER_NOTIF), Effect::new_access);
    EXPECT_EQ(effect_of(SECCOMP_RET_LOG, kEperm), Effect::lost_access);
    EXPECT_FALSE(is_more_permissive(SECCOMP_RET_LOG, kAllow));
    EXPECT_FALSE(is_more_permissive(SECCOMP_RET_TRAP, kEperm));
}

TEST(FilterDifferenceTest, NewAccessIsRefutedByACall) {
    auto head = server();
    head.calls["io_uring_setup"] = {{Cube{}}};
    head.calls.erase("read");
    auto sides = sides_of(server(), head);
    const auto input = new_access(sides.diagrams, sides.before, sides.after).value();
    ASSERT_TRUE(input);
    EXPECT_EQ(call_in_words(*input), "io_uring_setup(0, 0)");
    EXPECT_EQ(new_access(sides.diagrams, sides.after, sides.after).value(), std::nullopt);
}

TEST(FilterDifferenceTest, TheAddressOfACallIsSaidToCount) {
    Sides sides;
    const std::vector<sock_filter> by_address = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 8), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kAllow), BPF_STMT(BPF_RET | BPF_K, kEperm)};
    sides.before = sides.diagrams.leaf(kEperm);
    sides.after = diagram_of(sides.diagrams, by_address).value();
    EXPECT_THAT(sides.words(),
                Contains("read: refused (EPERM) -> allowed, where for calls from some addresses"));
}

bool passes(const ArgumentTest& test, std::uint64_t value) {
    bool inside = false;
    const std::uint64_t low = test.width == 64 ? value : value & ((1ULL << test.width) - 1);
    for (const auto& range : test.ranges) inside = inside || (range.low <= low && low <= range.high);
    for (const auto& masked : test.masked)
        for (const auto wanted : masked.values) inside = inside || (value & masked.mask) == wanted;
    return inside != test.outside;
}

bool holds(const FilterChange& change, const seccomp_data& data) {
    const auto number = static_cast<std::uint32_t>(data.nr);
    if (find_abi(data.arch, number) != change.abi) return false;
    if (std::ranges::none_of(change.numbers, [number](const NumberRange& range) {
            return range.first <= number && number <= range.last;
        }))
        return false;
    return std::ranges::any_of(change.arguments.cases, [&data](const ArgumentCase& one_case) {
        return std::ranges::all_of(
            one_case, [&data](const ArgumentTest& test) { return passes(test, data.args[test.argument]); });
    });
}

// A set that is not complete may leave out, and one that goes by the address may hold too often.
void check_input(const std::vector<FilterChange>& changes, const seccomp_data& data, std::uint32_t before,
                 std::uint32_t after) {
    bool found = false;
    bool certain = true;
    for (const auto& change : changes) {
        certain = certain && change.arguments.complete && !change.arguments.by_address;
        if (change.abi != find_abi(data.arch, static_cast<std::uint32_t>(data.nr)) || !holds(change, data))
            continue;
        if (change.before != before || change.after != after) {
            ASSERT_TRUE(change.arguments.by_address || change.abi == nullptr) << change_in_words(change);
            continue;
        }
        found = true;
    }
    if (before != after && certain && find_abi(data.arch, 0) != nullptr) ASSERT_TRUE(found);
    if (before == after) ASSERT_FALSE(found);
}

TEST(FilterDifferenceTest, ChangesSayForEveryInputWhatTheProgramsAnswer) {
    std::size_t compared = 0;
    for (unsigned seed = 0; seed < 60; ++seed) {
        std::mt19937 random(seed);
        Sides sides{.diagrams = Diagrams({.nodes = 100'000, .steps = 1'000'000})};
        const auto before = support::any_filter(random, 4 + seed % 12, support::Arithmetic::light);
        const auto after = support::any_filter(random, 4 + seed % 12, support::Arithmetic::light);
        const auto one_side = diagram_of(sides.diagrams, before);
        const auto other_side = diagram_of(sides.diagrams, after);
        if (!one_side || !other_side) continue;  // not analysed
        sides.before = *one_side;
        sides.after = *other_side;
        const auto changes = difference(sides.diagrams, sides.before, sides.after);
        if (!changes) continue;  // calls told apart by single bits of their numbers
        ++compared;
        for (int i = 0; i < 100; ++i) {
            const auto data = support::any_input(random, i % 2 == 0 ? before : after);
            SCOPED_TRACE(seed);
            check_input(*changes, data, settled_answer(run_filter(before, data).value()),
                        settled_answer(run_filter(after, data).value()));
        }
        for (const auto& change : *changes) {
            EXPECT_EQ(settled_answer(run_filter(before, change.witness).value()), change.before);
            EXPECT_EQ(settled_answer(run_filter(after, change.witness).value()), change.after);
        }
    }
    EXPECT_GT(compared, 30U);
}

}  // namespace
}  // namespace guard
