#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>

#include "policies/filter_compile.h"
#include "policies/load.h"
#include "posture/filter/declared.h"
#include "posture/filter/interpreter.h"
#include "posture/syscalls.h"

namespace guard {
namespace {

namespace fs = std::filesystem;

LoadOptions shipped() { return {.search_path = {GUARD_SOURCE_DIR "/profiles"}, .sets = {}}; }

std::string in_words(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const auto& diagnostic : diagnostics) {
        if (!diagnostic.check.empty()) continue;  // who may write the files is not what is tested here
        text += diagnostic.message + "\n";
        for (const auto& mark : diagnostic.marks)
            text += "  " + format_where(mark.where) + " " + mark.line + " " + mark.note + "\n";
    }
    return text;
}

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().extension() == ".toml") names.push_back(entry.path().stem());
    std::ranges::sort(names);
    return names;
}

FilterRules rules_of(const std::string& profile) {
    const auto loaded = load_profile(profile, shipped());
    if (!loaded.profile) ADD_FAILURE() << profile << ":\n" << in_words(loaded.diagnostics);
    const auto* rules = loaded.profile ? value_of(loaded.profile->posture.seccomp.access) : nullptr;
    return rules == nullptr ? FilterRules{} : *rules;
}

class GroupTest : public testing::TestWithParam<std::string> {};
TEST_P(GroupTest, HasNothingWrongInIt) {
    const auto path = GUARD_SOURCE_DIR "/profiles/groups/" + GetParam() + ".toml";
    EXPECT_EQ(in_words(check_group(path, shipped())), "");
}
std::string test_name(const testing::TestParamInfo<std::string>& test) {
    auto name = test.param;
    std::ranges::replace(name, '-', '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Each, GroupTest, testing::ValuesIn(names_in(GUARD_SOURCE_DIR "/profiles/groups")),
                         test_name);

class ShippedFilterTest : public testing::TestWithParam<std::string> {
protected:
    void SetUp() override {
        rules = rules_of(GetParam());
        const auto bytes = policies::compile_filter(rules);
        ASSERT_TRUE(bytes) << describe(bytes.error());
        program = filter_program(*bytes).value();
    }
    std::uint32_t answer(const char* call, const std::vector<std::uint64_t>& arguments = {}) {
        seccomp_data data{.nr = find_syscall(call)->x86_64,
                          .arch = AUDIT_ARCH_X86_64,
                          .instruction_pointer = 0,
                          .args = {}};
        std::ranges::copy(arguments, data.args);
        EXPECT_EQ(run_filter(program, data).value(), declared_answer(rules, data)) << call;
        return run_filter(program, data).value();
    }
    FilterRules rules;
    std::vector<sock_filter> program;
};
constexpr std::uint32_t kEperm = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;
constexpr std::uint64_t kHigh = 0xffff'ffff'0000'0000;

TEST_P(ShippedFilterTest, AnswersEveryCubeOfEveryRuleAsDeclared) {
    for (const auto& [call, rule] : rules.calls) {
        const auto* row = find_syscall(call);
        if (row->x86_64 < 0) continue;
        for (const auto& cube : rule.when)
            for (unsigned i = 0; i < 6; ++i)
                for (unsigned bit = 0; bit < 64; ++bit) {
                    auto arguments = cube.value;
                    arguments.at(i) ^= 1ULL << bit;
                    answer(row->name.data(), {arguments.begin(), arguments.end()});
                }
    }
}

TEST_P(ShippedFilterTest, RefusesWhatNoServerNeeds) {
    for (const auto* call : {"mount",
                             "umount2",
                             "pivot_root",
                             "chroot",
                             "open_tree",
                             "move_mount",
                             "fsopen",
                             "fsconfig",
                             "fsmount",
                             "fspick",
                             "mount_setattr",
                             "unshare",
                             "setns",
                             "ptrace",
                             "process_vm_readv",
                             "process_vm_writev",
                             "pidfd_getfd",
                             "kcmp",
                             "bpf",
                             "perf_event_open",
                             "userfaultfd",
                             "keyctl",
                             "add_key",
                             "request_key",
                             "init_module",
                             "finit_module",
                             "delete_module",
                             "kexec_load",
                             "kexec_file_load",
                             "reboot",
                             "swapon",
                             "open_by_handle_at",
                             "name_to_handle_at",
                             "quotactl",
                             "acct",
                             "settimeofday",
                             "clock_settime",
                             "adjtimex",
                             "syslog",
                             "modify_ldt",
                             "iopl",
                             "ioperm",
                             "personality",
                             "seccomp",
                             "setuid",
                             "capset",
                             "process_madvise",
                             "move_pages",
                             "migrate_pages",
                             "mknod",
                             "vhangup",
                             "setdomainname",
                             "sethostname",
                             "uselib",
                             "execveat"})
        EXPECT_EQ(answer(call, {0, 020000}), kEperm) << call;
}

TEST_P(ShippedFilterTest, HasTheNewCallsThatHideTheirArgumentsAbsent) {
    for (const auto* call :
         {"clone3", "io_uring_setup", "io_uring_enter", "io_uring_register", "openat2", "fchmodat2"})
        EXPECT_EQ(answer(call), kEnosys) << call;
    EXPECT_TRUE(rules.on_unknown == Denial::enosys);
}

TEST_P(ShippedFilterTest, LetsNoNamespaceBeMadeByClone) {
    constexpr std::uint64_t thread = 0x3d0f00;
    for (const std::uint64_t flag :
         {0x0002'0000U, 0x0200'0000U, 0x0400'0000U, 0x0800'0000U, 0x1000'0000U, 0x2000'0000U, 0x4000'0000U})
        for (const std::uint64_t with : {std::uint64_t{0}, std::uint64_t{17}, thread})
            EXPECT_EQ(answer("clone", {flag | with}), kEperm) << std::hex << flag;
    EXPECT_EQ(answer("clone", {thread | kHigh | 0x1000'0000U}), kEperm);
}

TEST_P(ShippedFilterTest, LetsNobodyTypeIntoATerminal) {
    const auto typing = std::to_array<std::uint64_t>(
        {TIOCSTI, TIOCSTI | kHigh, TIOCSTI | (1ULL << 32U), TIOCLINUX, TIOCLINUX | kHigh, TIOCSETD});
    for (const auto request : typing) EXPECT_EQ(answer("ioctl", {0, request}), kEperm) << std::hex << request;
    EXPECT_EQ(answer("ioctl", {0, TCGETS}), SECCOMP_RET_ALLOW);
    EXPECT_EQ(answer("ioctl", {0, TCGETS | kHigh}), SECCOMP_RET_ALLOW) << "the kernel sees the same call";
}

TEST_P(ShippedFilterTest, KeepsSocketsToTheHarmlessFamilies) {
    for (const std::uint64_t family : {AF_ALG, AF_VSOCK, AF_PACKET, AF_BLUETOOTH, AF_TIPC, AF_KEY, AF_RDS})
        for (const std::uint64_t high : {std::uint64_t{0}, kHigh})
            EXPECT_EQ(answer("socket", {family | high, SOCK_STREAM, 0}), kEperm) << family;
    EXPECT_EQ(answer("socket", {AF_INET, SOCK_RAW, 1}), kEperm);
    EXPECT_EQ(answer("socket", {AF_NETLINK, SOCK_RAW, 12}), kEperm) << "NETLINK_NETFILTER";
}

TEST_P(ShippedFilterTest, SetsNoSetUserIdBit) {
    for (const std::uint64_t mode : {04755U, 02755U, 06000U, 0x1'0000U | 04755U}) {
        EXPECT_EQ(answer("chmod", {0, mode}), kEperm) << std::oct << mode;
        EXPECT_EQ(answer("fchmodat", {0, 0, mode}), kEperm) << std::oct << mode;
    }
    EXPECT_EQ(answer("chmod", {0, 0755}), SECCOMP_RET_ALLOW);
}

TEST_P(ShippedFilterTest, AllowsWhatMeasuredProgramsNeverShowButNeed) {
    for (const auto* call :
         {"rt_sigreturn", "restart_syscall", "exit", "exit_group", "futex", "clock_nanosleep",
          "clock_gettime", "tgkill", "stat", "fstat", "lstat", "newfstatat", "statx"})
        EXPECT_EQ(answer(call), SECCOMP_RET_ALLOW) << call;
}

TEST_P(ShippedFilterTest, IsSmallAndCompiledQuickly) {
    const auto start = std::chrono::steady_clock::now();
    constexpr int runs = 10;
    for (int i = 0; i < runs; ++i) ASSERT_TRUE(policies::compile_filter(rules));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    RecordProperty("instructions", static_cast<int>(program.size()));
    RecordProperty("microseconds", static_cast<int>(took.count() * 1000 / runs));
    EXPECT_LT(program.size(), 1000U);
}
INSTANTIATE_TEST_SUITE_P(Each, ShippedFilterTest, testing::ValuesIn(names_in(GUARD_SOURCE_DIR "/profiles")),
                         test_name);

/// What strace saw of a program, the profile that runs it, and the calls it does without.
struct Workload {
    std::string trace, profile;
    std::map<std::string, std::string> refused;
};
const std::map<std::string, std::string> kClone3 = {{"clone3", "absent: the C library goes back to clone"}};

class WorkloadTest : public testing::TestWithParam<Workload> {};
TEST_P(WorkloadTest, IsAllowedEveryCallItWasSeenToMake) {
    const auto rules = rules_of(GetParam().profile);
    std::ifstream file(GUARD_SOURCE_DIR "/tests/fixtures/syscalls/" + GetParam().trace + ".txt");
    std::size_t calls = 0;
    for (std::string call; std::getline(file, call); ++calls) {
        const bool allowed = rules.calls.contains(call);
        EXPECT_NE(allowed, GetParam().refused.contains(call)) << call;
    }
    EXPECT_GT(calls, 50U) << "the list of " << GetParam().trace;
}
INSTANTIATE_TEST_SUITE_P(
    Each, WorkloadTest,
    testing::Values(
        Workload{"jvm",
                 "minecraft",
                 {{"clone3", "absent"}, {"chown", "Files.setOwner needs CAP_CHOWN, which it does not hold"}}},
        Workload{"jvm_base", "minecraft", kClone3}, Workload{"node", "minecraft", kClone3},
        Workload{"node_minecraft", "minecraft", kClone3}, Workload{"nginx_unpriv", GUARD_SOURCE_DIR "/tests/fixtures/workloads/nginx.toml", kClone3},
        Workload{"postgres", "postgres", kClone3}),
    [](const auto& test) { return test.param.trace; });

}  // namespace
}  // namespace guard
