#include "base/change_walk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

#include "tests/support/child.h"
#include "tests/support/kernel_walk.h"
#include "tests/support/private_state.h"

// The kernel's walk that tells whether something changed: each right that changes shows, and what a server
// does all day does not.
namespace guard {
namespace {

const support::PrivateState kPrivate;

struct Step {
    const char* name;
    bool (*act)();
};

/// A child that takes each step when it is told to.
class Obedient {
public:
    explicit Obedient(const std::vector<Step>& steps) {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_.data()), 0);
        child_.emplace([this, steps] {
            if (::fork() != 0) return true;  // its child is the one that acts
            const int parent = ends_[1];
            ::close(ends_[0]);
            char turn = 0;
            const pid_t self = ::getpid();
            static_cast<void>(::write(parent, &self, sizeof self));
            for (const auto& step : steps) {
                if (::read(parent, &turn, 1) != 1) break;
                const char done = step.act() ? 'y' : 'n';
                static_cast<void>(::write(parent, &done, 1));
            }
            static_cast<void>(::read(parent, &turn, 1));
            ::_exit(0);
        });
        EXPECT_EQ(::read(ends_[0], &pid_, sizeof pid_), static_cast<ssize_t>(sizeof pid_));
    }
    Obedient(const Obedient&) = delete;
    Obedient& operator=(const Obedient&) = delete;
    ~Obedient() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    [[nodiscard]] bool next() const {
        char answer = 'g';
        return ::write(ends_[0], &answer, 1) == 1 && ::read(ends_[0], &answer, 1) == 1 && answer == 'y';
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    std::array<int, 2> ends_{};
    std::optional<support::Child> child_;
    pid_t pid_ = 0;
};

class ChangeWalkTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        GUARD_SKIP_UNLESS_WALKED();
        walk_.emplace(ChangeWalk::open({}).value());
    }
    struct Look {
        std::string rights;
        std::size_t holdings = 0;
        bool operator==(const Look&) const = default;
    };
    Look look(pid_t pid) {
        const auto rows = walk_->read();
        EXPECT_TRUE(rows) << describe(rows.error());
        if (!rows) return {};
        const auto task = std::ranges::find(rows->tasks, pid, &TaskState::tid);
        EXPECT_NE(task, rows->tasks.end());
        const auto held = rows->holdings.find(pid);
        return {task == rows->tasks.end() ? "" : task->print,
                held == rows->holdings.end() ? 0 : held->second};
    }
    std::optional<ChangeWalk> walk_;
};

bool set_limit() {
    const rlimit low{128, 128};
    return ::setrlimit(RLIMIT_NOFILE, &low) == 0;
}
bool only_on_one_core() {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    return ::sched_setaffinity(0, sizeof one, &one) == 0;
}
bool drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    return ::syscall(SYS_capset, &header, data) == 0;
}

TEST_F(ChangeWalkTest, EachRightThatChangesShows) {
    const std::vector<Step> steps{
        {"a limit", set_limit},
        {"nice", [] { return ::setpriority(PRIO_PROCESS, 0, 5) == 0; }},
        {"cores", only_on_one_core},
        {"umask", [] { return ::umask(0777) != 0777; }},
        {"personality", [] { return ::syscall(SYS_personality, 0x0040000) >= 0; }},
        {"another root", [] { return ::chroot("/usr") == 0; }},
        {"a namespace", [] { return ::unshare(CLONE_NEWUTS) == 0; }},
        {"its name", [] { return ::prctl(PR_SET_NAME, "other") == 0; }},
        {"securebits", [] { return ::prctl(PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0) == 0; }},
        {"a further group",
         [] {
             const gid_t one = 7;
             return ::syscall(SYS_setgroups, 1, &one) == 0;
         }},
        {"no_new_privs", [] { return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0; }},
        {"capabilities", drop_capabilities}};
    const Obedient child(steps);
    auto before = look(child.pid());
    EXPECT_EQ(look(child.pid()), before) << "nothing happened";
    for (const auto& step : steps) {
        SCOPED_TRACE(step.name);
        ASSERT_TRUE(child.next());
        const auto after = look(child.pid());
        EXPECT_NE(after.rights, before.rights);
        before = after;
    }
}

int held = -1;
bool map_write_exec() {
    return ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED;
}

TEST_F(ChangeWalkTest, WhatLeadsOutOfItsTreeShowsAndWhatAServerDoesAllDayDoesNot) {
    const std::vector<Step> steps{
        {"a folder of the tree that it leaves",
         [] { return (held = ::open("/usr", O_PATH | O_CLOEXEC)) >= 0 && ::unshare(CLONE_NEWNS) == 0; }},
        {"memory that is writable and executable", map_write_exec},
        {"a handle on another process", [] { return ::syscall(SYS_pidfd_open, ::getppid(), 0) >= 0; }},
        {"a handle on a namespace", [] { return ::open("/proc/self/ns/net", O_RDONLY) >= 0; }},
        {"userfaultfd", [] { return ::syscall(SYS_userfaultfd, O_CLOEXEC) >= 0; }},
        {"a socket of the network that it leaves",
         [] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0 && ::unshare(CLONE_NEWNET) == 0; }},
        {"a connection with itself", [] {
             std::array<int, 2> ends{};
             return ::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0;
         }}};
    const Obedient child(steps);
    auto before = look(child.pid());
    for (std::size_t at = 0; at + 1 < steps.size(); ++at) {
        SCOPED_TRACE(steps[at].name);
        ASSERT_TRUE(child.next());
        const auto after = look(child.pid());
        EXPECT_NE(after.holdings, before.holdings);
        before = after;
    }
    ASSERT_TRUE(child.next());
    EXPECT_EQ(look(child.pid()).holdings, before.holdings) << "both ends are its own";
}

TEST_F(ChangeWalkTest, FilesPipesEventsAndSocketsOfItsOwnAreNoChange) {
    const std::vector<Step> steps{{"a compiler at run time", map_write_exec},
                                  {"more of the same", map_write_exec},
                                  {"a file", [] { return ::open("/", O_RDONLY | O_DIRECTORY) >= 0; }},
                                  {"an event", [] { return ::eventfd(0, 0) >= 0; }},
                                  {"memory", [] { return ::syscall(SYS_memfd_create, "x", 0) >= 0; }},
                                  {"a socket", [] { return ::socket(AF_INET6, SOCK_DGRAM, 0) >= 0; }},
                                  {"a pipe", [] {
                                       std::array<int, 2> ends{};
                                       return ::pipe(ends.data()) == 0;
                                   }}};
    const Obedient child(steps);
    ASSERT_TRUE(child.next());
    const auto before = look(child.pid());
    for (std::size_t at = 1; at < steps.size(); ++at) {
        SCOPED_TRACE(steps[at].name);
        ASSERT_TRUE(child.next());
        EXPECT_EQ(look(child.pid()), before);
    }
}

TEST_F(ChangeWalkTest, ThreadsBehindALeaderThatHasEndedAreSeen) {
    const support::Child child([] { return true; }, support::Leader::ends);
    const auto rows = walk_->read();
    ASSERT_TRUE(rows);
    EXPECT_TRUE(std::ranges::any_of(rows->tasks, [&child](const TaskState& task) {
        return task.pid == child.pid() && task.tid != task.pid && !task.ended && task.parent == ::getpid();
    }));
}

}  // namespace
}  // namespace guard
