#include "launcher/launch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/cgroup_layout.h"
#include "base/guard_table.h"
#include "base/links.h"
#include "base/sys.h"
#include "launcher/state.h"
#include "tests/support/launched.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

namespace guard::launcher {
namespace {

using namespace std::chrono_literals;
using support::request_for;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const support::PrivateState kPrivate;

// A supervisor in a process of its own, so that it can be killed.
struct Supervisor {
    pid_t pid = 0;
    UniqueFd pidfd;
};
Supervisor supervisor_of(const Request& request) {
    const auto pid = ::fork();
    if (pid == 0) {
        const int null = ::open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
        const auto ended = launch(request);
        ::_exit(ended ? *ended : ended.error().status);
    }
    return {pid, std::move(sys::pidfd_open(pid).value())};
}
int status_of(Supervisor& supervisor) {
    int status = 0;
    ::waitpid(supervisor.pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
void await_running(const std::string& name) {
    for (int tries = 0; tries < 300; ++tries) {
        const auto record = load_record(name);
        if (record && record->stage == "running") break;
        std::this_thread::sleep_for(10ms);
    }
    std::this_thread::sleep_for(50ms);
}

bool any_process_is(const std::string& command) {
    const auto entries = sys::list_directory(AT_FDCWD, "/proc").value();
    for (const auto& entry : entries)
        if (support::text_of("/proc/" + entry + "/comm") == command + "\n") return true;
    return false;
}
bool gone_within(const std::string& command, std::chrono::milliseconds most) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (any_process_is(command)) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

// Copies of this test program: supervisors, and what they have forked.
bool alone_within(std::chrono::milliseconds most) {
    const auto own = support::text_of("/proc/self/comm");
    const auto entries = [] { return sys::list_directory(AT_FDCWD, "/proc").value(); };
    const auto is_own = [&own](const auto& entry) {
        // "self" is another name of a number.
        return entry.front() <= '9' && support::text_of("/proc/" + entry + "/comm") == own;
    };
    const auto end = std::chrono::steady_clock::now() + most;
    while (std::ranges::count_if(entries(), is_own) > 1) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

// Everything of guard's below the cgroup mounts.
std::vector<std::string> cgroups_left() {
    std::vector<std::string> left;
    const auto layout = find_cgroup_layout().value();
    for (const auto& [controller, mount] : layout.mounts)
        if (::access((mount.folder + "/guard").c_str(), F_OK) == 0) left.push_back(mount.folder + "/guard");
    return left;
}

// With everything that a launch makes on the host: cgroups, a bridge, a cable, elements of the table, a
// process that looks names up.
TEST(LaunchDeathTest, KillingTheSupervisorAtAnyMomentLeavesNothing) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto request = request_for("box", {"/bin/sleep", "77"});
    request.profile.service.network.mode = NetworkMode::bridge;
    request.profile.posture.network.publish = Grants<std::string>{{"localhost:8080:80/tcp"}};
    request.profile.posture.network.egress = Grants<std::string>{{"example.test:443/tcp"}};
    const auto mounts = support::text_of("/proc/self/mountinfo");
    for (int moment = 0; moment < 40; ++moment) {
        auto supervisor = supervisor_of(request);
        std::this_thread::sleep_for(std::chrono::microseconds(moment * 2500));
        ASSERT_TRUE(sys::pidfd_send_signal(supervisor.pidfd.get(), SIGKILL));
        status_of(supervisor);
        EXPECT_TRUE(gone_within("sleep", 1000ms)) << "killed after " << moment * 2.5 << " ms";
        EXPECT_TRUE(gone_within("guard-init", 1000ms)) << "killed after " << moment * 2.5 << " ms";
    }
    clean_up_dead();
    EXPECT_TRUE(recorded_names()->empty());
    EXPECT_THAT(cgroups_left(), IsEmpty());
    EXPECT_TRUE(alone_within(1000ms)) << "the one that looks names up ends too";
    EXPECT_EQ(support::text_of("/proc/self/mountinfo"), mounts);
    EXPECT_THAT(*read_guard_table(), IsEmpty());
    auto links = *links::open_socket();
    EXPECT_FALSE(*links::find(links, request.profile.service.network.bridge));
    EXPECT_FALSE(*links::find(links, "gv-box"));
}

/// A server next door, which goes on whatever happens to others.
class Neighbour {
public:
    Neighbour()
        : supervisor_(supervisor_of(
              request_for("next-door", {"/bin/sh", "-c", "while :; do echo tick; sleep 0.02; done"}))) {
        await_running("next-door");
    }
    Neighbour(const Neighbour&) = delete;
    Neighbour& operator=(const Neighbour&) = delete;
    /// Served before, serves now, and ends only when it is asked to.
    ~Neighbour() {
        const auto before = ticks();
        EXPECT_GT(before, 0U);
        std::this_thread::sleep_for(200ms);
        EXPECT_GT(ticks(), before);
        EXPECT_TRUE(sys::pidfd_send_signal(supervisor_.pidfd.get(), SIGTERM));
        EXPECT_EQ(status_of(supervisor_), 143);
    }

private:
    static std::size_t ticks() { return support::text_of("/var/log/guard/next-door.log").size(); }
    Supervisor supervisor_;
};

TEST(LaunchDeathTest, ASignalToTheSupervisorStopsTheCommand) {
    GUARD_SKIP_UNLESS_PRIVATE();
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        auto supervisor = supervisor_of(
            request_for("box", {"/bin/sh", "-c", "trap 'exit 7' TERM; while :; do sleep 0.02; done"}));
        await_running("box");
        ASSERT_TRUE(sys::pidfd_send_signal(supervisor.pidfd.get(), signal));
        EXPECT_EQ(status_of(supervisor), 7) << signal;
    }
}

TEST(LaunchDeathTest, WhatDoesNotStopInTimeIsKilled) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto supervisor =
        supervisor_of(request_for("box", {"/bin/sh", "-c", "trap '' TERM; while :; do sleep 0.02; done"}));
    await_running("box");
    constexpr int kTimeoutMs = 200;
    ASSERT_TRUE(sys::pidfd_send_signal(supervisor.pidfd.get(), SIGTERM, kTimeoutMs));
    EXPECT_EQ(status_of(supervisor), 137);
    EXPECT_TRUE(recorded_names()->empty());
}

TEST(LaunchDeathTest, AForkBombEndsAtItsLimit) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Neighbour neighbour;
    auto request =
        request_for("bomb", {"/bin/sh", "-c", "for i in $(seq 60); do tail -f /dev/null & done; echo all"});
    made(request.profile.posture.limits)["pids"] = {16};
    auto supervisor = supervisor_of(request);
    EXPECT_EQ(status_of(supervisor), 2);
    EXPECT_THAT(support::text_of("/var/log/guard/bomb.log"), HasSubstr("fork"));
    EXPECT_TRUE(gone_within("tail", 1000ms));
}

TEST(LaunchDeathTest, AMemoryHogDiesAloneAndTheReasonIsTold) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Neighbour neighbour;
    std::string said;
    auto request = request_for("hog", {"/bin/sh", "-c", "exec tail /dev/zero"});
    made(request.profile.posture.limits)["memory"] = {32ULL << 20U};
    request.telling.notice = [&said](const std::string& line) { said += line + "\n"; };
    const auto ended = launch(request);
    ASSERT_TRUE(ended) << describe(ended.error().error);
    EXPECT_EQ(*ended, 137);
    EXPECT_THAT(said, HasSubstr("OOM"));
    EXPECT_THAT(said, HasSubstr("memory limit 32 MiB reached (peak 32 MiB, swap none)"));
    EXPECT_THAT(said, ContainsRegex("biggest: tail, process [0-9]+, [0-9.]+ MiB"));
}

TEST(LaunchDeathTest, ASourceThatIsSwappedForAnothersIsRefused) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const support::TempDir folder;
    ::chown(folder.path().c_str(), 1234, 1234);
    folder.make("real");
    ::chown((folder / "real").c_str(), 1234, 1234);
    ASSERT_EQ(::symlink("/etc", (folder / "link").c_str()), 0);
    auto request = request_for("box", {"true"});
    Mount mount{.type = "bind", .source = folder / "link"};
    mount.idmap = true;
    made(request.profile.posture.mounts)["/srv/x"] = mount;
    ASSERT_EQ(::lchown((folder / "link").c_str(), 1234, 1234), 0);
    const auto ended = launch(request);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().status, 125);
    EXPECT_THAT(describe(ended.error().error), HasSubstr("owner changed"));
}

TEST(LaunchDeathTest, ADirectoryAsStandardInputIsRefused) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const int kept = ::dup(0);
    const int folder = ::open("/", O_RDONLY | O_DIRECTORY);
    ::dup2(folder, 0);
    const auto ended = launch(request_for("box", {"true"}));
    ::dup2(kept, 0);
    ASSERT_FALSE(ended);
    EXPECT_THAT(describe(ended.error().error), HasSubstr("it is a directory"));
}

TEST(LaunchDeathTest, TwoOfOneNameLetOneWin) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto first = supervisor_of(request_for("box", {"/bin/sleep", "77"}));
    await_running("box");
    const auto second = launch(request_for("box", {"true"}));
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().status, 125);
    ASSERT_TRUE(sys::pidfd_send_signal(first.pidfd.get(), SIGTERM));
    EXPECT_EQ(status_of(first), 143);
}

}  // namespace
}  // namespace guard::launcher
