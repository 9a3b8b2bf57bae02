#include "audit/alike.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <limits>

#include "audit/process_facts.h"
#include "audit/scan.h"
#include "base/process.h"
#include "base/sys.h"
#include "tests/support/child.h"
#include "tests/support/kernel_walk.h"
#include "tests/support/private_state.h"

// What is read of one process for many has to be what each of them would have told.
namespace guard {
namespace {

const support::PrivateState kPrivate;

using audit::AlikeProcesses;
using support::Child;

#define GUARD_SKIP_UNLESS_ASKED() \
    GUARD_SKIP_UNLESS_PRIVATE();  \
    GUARD_SKIP_UNLESS_WALKED()

template <class T>
std::string text_of(const Known<T>& known) {
    const auto* const value = value_of(known);
    if (value == nullptr) return "?";
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, std::string>)
        return fmt::format("{}", *value);
    else
        return "known";
}

// All that a scan tells of a task.
std::string told_of(const audit::SeenTask& task) {
    const auto& status = task.facts.status;
    const auto& details = task.details;
    const auto* const root = value_of(details.root);
    const auto* const stat = value_of(details.stat);
    auto text = fmt::format(
        "{} {} {} {} {} {} uid {} gid {} groups {} caps {:x} {:x} {:x} {:x} {:x} nnp {} seccomp {} {} umask "
        "{} cpus {}",
        status.name, status.tgid, status.pid, status.ppid, status.tracer, status.threads,
        fmt::join(status.uid, ","), fmt::join(status.gid, ","), fmt::join(status.groups, ","),
        status.cap_inheritable, status.cap_permitted, status.cap_effective, status.cap_bounding,
        status.cap_ambient, status.no_new_privs, status.seccomp, status.seccomp_filters.value_or(0),
        status.umask.value_or(0), status.cpus_allowed);
    for (const auto& id : task.facts.namespaces) text += " " + text_of(id);
    for (const auto& [controller, path] : task.facts.cgroups) text += " " + controller + path;
    text +=
        fmt::format("\n{} {} {} {} {} {}", text_of(details.personality), text_of(details.owner),
                    text_of(details.disk_class), text_of(details.oom_score_adj), details.exe, details.start);
    if (const auto* const label = value_of(details.label)) text += " " + label->value_or("no label");
    if (root != nullptr) text += fmt::format(" {} {} {}", root->mount, root->device, root->inode);
    if (stat != nullptr)
        text += fmt::format(" {} {} {} {} {}", stat->terminal, stat->nice, stat->start, stat->realtime,
                            stat->policy);
    return text + "\n" + text_of(details.limits) + details.process->print;
}

struct Drift {
    const char* name;
    bool (*become)();
    bool seen_by_walk = true;  // else by what is read of each in any case
};

bool load_a_filter() {
    std::array<sock_filter, 1> code{{{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
    const sock_fprog program{code.size(), code.data()};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
bool lower_files() {
    const rlimit limit{100, 200};
    return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}
bool have_group() {
    const gid_t group = 4711;
    return ::setgroups(1, &group) == 0;
}
bool one_cpu() {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return ::sched_setaffinity(0, sizeof set, &set) == 0;
}
bool new_root() { return ::chroot("/usr") == 0 && ::chdir("/") == 0; }
bool hold_a_namespace() { return ::open("/proc/self/ns/uts", O_RDONLY) >= 0; }
bool write_and_run() {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}
constexpr auto kDrifts = std::to_array<Drift>({
    {"user", [] { return ::setresuid(65534, 65534, 65534) == 0; }},
    {"saved user alone", [] { return ::setresuid(0, 0, 65534) == 0; }},
    {"group", have_group},
    {"bounding set", [] { return ::prctl(PR_CAPBSET_DROP, 21, 0, 0, 0) == 0; }},
    {"no_new_privs", [] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0; }},
    {"filter", load_a_filter},
    {"host name", [] { return ::unshare(CLONE_NEWUTS) == 0; }},
    {"mounts", [] { return ::unshare(CLONE_NEWNS) == 0; }},
    {"network", [] { return ::unshare(CLONE_NEWNET) == 0; }},
    {"root", new_root},
    {"file mode mask", [] { return ::umask(0777) != 0777; }},
    {"personality", [] { return ::personality(ADDR_NO_RANDOMIZE) >= 0; }},
    {"limit", lower_files},
    {"nice", [] { return ::setpriority(PRIO_PROCESS, 0, 7) == 0; }},
    {"cores", one_cpu},
    {"name", [] { return ::prctl(PR_SET_NAME, "another") == 0; }},
    {"oom", [] { return sys::write_file("/proc/self/oom_score_adj", "77").has_value(); }},
    {"not to be dumped", [] { return ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0; }, false},
    {"a handle", hold_a_namespace, false},
    {"memory", write_and_run, false},
});

class AlikeTest : public testing::TestWithParam<Drift> {};

TEST_P(AlikeTest, TellsOfEachWhatReadingItTells) {
    GUARD_SKIP_UNLESS_ASKED();
    const auto nothing = [] { return true; };
    const Child one(nothing), two(nothing), other(GetParam().become), three(nothing);
    const auto proc = open_proc().value();
    const audit::Interest interest{{}, {}, {::getpid()}};
    constexpr auto kNever = std::numeric_limits<std::size_t>::max();
    const auto read = audit::scan(proc.get(), interest, {}, kNever).value();
    const auto taken = audit::scan(proc.get(), interest, {}, 0).value();
    EXPECT_TRUE(read.alike.empty());
    EXPECT_GE(taken.alike.size(), 2U) << "at least two of three that are alike are told by another";
    EXPECT_EQ(taken.alike.contains(other.pid()), !GetParam().seen_by_walk);
    const auto all_of = [](const audit::Scan& scan) {
        std::map<pid_t, std::string> all;
        for (const auto& task : scan.tasks) all[task.pid] = told_of(task);
        all.erase(::getpid());  // changes all the time
        return all;
    };
    const auto first = all_of(read), second = all_of(taken);
    for (const auto* child : {&one, &two, &other, &three}) {
        ASSERT_TRUE(first.contains(child->pid()) && second.contains(child->pid()));
        EXPECT_EQ(first.at(child->pid()), second.at(child->pid()));
    }
    EXPECT_EQ(read.parents.at(other.pid()), taken.parents.at(other.pid()));
}
INSTANTIATE_TEST_SUITE_P(Drifts, AlikeTest, testing::ValuesIn(kDrifts), [](const auto& one) {
    std::string name = one.param.name;
    std::erase_if(name, [](char c) { return c == ' ' || c == '_'; });
    return name;
});

TEST(AlikeProcessesTest, OneThatChangesBetweenTheTwoWalksDoesNotStand) {
    GUARD_SKIP_UNLESS_ASKED();
    std::array<int, 2> ends{}, back{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    ASSERT_EQ(::pipe(back.data()), 0);
    const Child still([] { return true; });
    const auto pid = ::fork();
    if (pid == 0) {
        char byte = 0;
        const bool changed = ::read(ends[0], &byte, 1) == 1 && ::setresuid(0, 0, 65534) == 0;
        static_cast<void>(::write(back[1], changed ? "y" : "n", 1));
        for (;;) ::pause();
    }
    const auto pidfd = sys::pidfd_open(pid).value();
    auto alike = AlikeProcesses::look({});
    ASSERT_TRUE(alike);
    char byte = 'n';
    EXPECT_TRUE(::write(ends[1], "c", 1) == 1 && ::read(back[0], &byte, 1) == 1 && byte == 'y');
    ASSERT_TRUE(alike->look_again());
    EXPECT_TRUE(alike->stands(still.pid()));
    EXPECT_FALSE(alike->stands(pid));
    EXPECT_EQ(alike->of(::getpid() + 100'000), nullptr);
    ASSERT_TRUE(sys::pidfd_send_signal(pidfd.get(), SIGKILL));
    ::waitpid(pid, nullptr, 0);
    for (const int fd : {ends[0], ends[1], back[0], back[1]}) ::close(fd);
}

TEST(AlikeProcessesTest, OneWithSeveralThreadsIsReadAsItIs) {
    GUARD_SKIP_UNLESS_ASKED();
    const Child child([] { return true; }, support::Leader::ends);
    const auto alike = AlikeProcesses::look({});
    ASSERT_TRUE(alike);
    EXPECT_EQ(alike->of(child.pid()), nullptr);
}

}  // namespace
}  // namespace guard
