#include "launcher/launch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/sys.h"
#include "launcher/state.h"
#include "tests/support/launched.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

namespace guard::launcher {
namespace {

using namespace std::chrono_literals;
using support::request_for;
using ::testing::HasSubstr;

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

TEST(LaunchDeathTest, KillingTheSupervisorAtAnyMomentLeavesNothing) {
    GUARD_SKIP_UNLESS_PRIVATE();
    for (int moment = 0; moment < 40; ++moment) {
        auto supervisor = supervisor_of(request_for("box", {"/bin/sleep", "77"}));
        std::this_thread::sleep_for(std::chrono::microseconds(moment * 2500));
        ASSERT_TRUE(sys::pidfd_send_signal(supervisor.pidfd.get(), SIGKILL));
        status_of(supervisor);
        EXPECT_TRUE(gone_within("sleep", 1000ms)) << "killed after " << moment * 2.5 << " ms";
        EXPECT_TRUE(gone_within("guard-init", 1000ms)) << "killed after " << moment * 2.5 << " ms";
    }
    clean_up_dead();
    EXPECT_TRUE(recorded_names()->empty());
    EXPECT_NE(::access("/sys/fs/cgroup/memory/guard/box", F_OK), 0);
}

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
    auto request = request_for("bomb", {"/bin/sh", "-c", "for i in $(seq 60); do sleep 5 & done; echo all"});
    made(request.profile.posture.limits)["pids"] = {16};
    auto supervisor = supervisor_of(request);
    EXPECT_EQ(status_of(supervisor), 2);
    EXPECT_THAT(support::text_of("/var/log/guard/bomb.log"), HasSubstr("fork"));
    EXPECT_TRUE(gone_within("sleep", 1000ms));
}

TEST(LaunchDeathTest, AMemoryHogDiesAloneAndTheReasonIsTold) {
    GUARD_SKIP_UNLESS_PRIVATE();
    std::string said;
    auto request = request_for("hog", {"/bin/sh", "-c", "exec tail /dev/zero"});
    made(request.profile.posture.limits)["memory"] = {32ULL << 20U};
    request.telling.notice = [&said](const std::string& line) { said += line + "\n"; };
    const auto ended = launch(request);
    ASSERT_TRUE(ended) << describe(ended.error().error);
    EXPECT_EQ(*ended, 137);
    EXPECT_THAT(said, HasSubstr("OOM"));
    EXPECT_THAT(said, HasSubstr("32 MiB"));
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
