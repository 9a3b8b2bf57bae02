#include "launcher/launch.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>

#include "base/sys.h"
#include "tests/support/launched.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

namespace guard::launcher {
namespace {

using support::request_for;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

const support::PrivateState kPrivate;

// What a container wrote, and its status.
struct Outcome {
    int status = -1;
    std::string text, error, fix;
};

Outcome outcome_of(Request request) {
    static int number = 0;
    request.name = "box" + std::to_string(++number);
    Outcome outcome;
    const auto ended = launch(request);
    if (ended)
        outcome.status = *ended;
    else {
        outcome.status = ended.error().status;
        outcome.error = describe(ended.error().error);
        outcome.fix = ended.error().error.fix;
    }
    outcome.text = support::text_of("/var/log/guard/" + request.name + ".log");
    return outcome;
}

Outcome shell(const std::string& script) { return outcome_of(request_for("box", {"/bin/sh", "-c", script})); }

Mount writable(std::string type, std::string source = "") {
    Mount mount{.type = std::move(type), .source = std::move(source)};
    mount.grants.all = {MountGrant::write};
    mount.idmap = mount.type == "bind";
    return mount;
}

TEST(LaunchTest, TheStatusOfTheCommandIsItsOwn) {
    GUARD_SKIP_UNLESS_PRIVATE();
    struct {
        const char* script;
        int status;
    } const cases[]{{"exit 0", 0}, {"exit 42", 42}, {"kill -SEGV $$", 139}, {"kill -KILL $$", 137}};
    for (const auto& row : cases) EXPECT_EQ(shell(row.script).status, row.status) << row.script;
}

TEST(LaunchTest, AMissingCommandIs127AndOneThatCannotRunIs126) {
    GUARD_SKIP_UNLESS_PRIVATE();
    EXPECT_EQ(outcome_of(request_for("box", {"no-such-program"})).status, 127);
    EXPECT_EQ(outcome_of(request_for("box", {"/usr/lib/os-release"})).status, 126);
}

TEST(LaunchTest, EveryTaskHasNoRightsAndBothLocks) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto text = shell("cat /proc/self/status").text;
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_THAT(text, HasSubstr(std::string(set) + ":\t0000000000000000"));
    EXPECT_THAT(text, HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(text, HasSubstr("Seccomp:\t2"));
    EXPECT_THAT(text, HasSubstr("Uid:\t999\t999\t999\t999"));
}

TEST(LaunchTest, NoIdInsideIsRootOfTheMachine) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto text = shell("cat /proc/self/uid_map").text;
    unsigned inside = 1, outside = 0;
    ASSERT_EQ(std::sscanf(text.c_str(), "%u %u", &inside, &outside), 2);
    EXPECT_EQ(inside, 0u);
    EXPECT_GT(outside, 65'535u);
}

TEST(LaunchTest, SevenNamespacesAreItsOwn) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto text =
        shell("for n in user pid mnt net ipc uts cgroup; do readlink /proc/self/ns/$n; done").text;
    for (const auto* name : {"user", "pid", "mnt", "net", "ipc", "uts", "cgroup"}) {
        const auto host = sys::readlinkat(AT_FDCWD, std::string("/proc/self/ns/") + name);
        ASSERT_TRUE(host);
        EXPECT_THAT(text, HasSubstr(std::string(name) + ":["));
        EXPECT_THAT(text, Not(HasSubstr(*host)));
    }
}

TEST(LaunchTest, OnlyThreeDescriptorsGetIn) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const int leak = ::open("/", O_RDONLY | O_DIRECTORY);  // not close-on-exec, as a careless caller's
    ASSERT_GE(leak, 3);
    const auto text = shell("ls /proc/$$/fd").text;
    ::close(leak);
    EXPECT_EQ(text.find("0\n1\n2\n"), 0u) << text;
    EXPECT_THAT(text, Not(HasSubstr(std::to_string(leak) + "\n")));
}

TEST(LaunchTest, OnlyTheDeclaredEnvironmentGetsIn) {
    GUARD_SKIP_UNLESS_PRIVATE();
    ::setenv("GUARD_CANARY", "secret", 1);
    const auto text = outcome_of(request_for("box", {"/usr/bin/env"})).text;
    EXPECT_EQ(text, "HOME=/\nPATH=/usr/local/bin:/usr/bin:/bin\nUSER=app\n");
}

TEST(LaunchTest, TheRootIsReadOnly) {
    GUARD_SKIP_UNLESS_PRIVATE();
    for (const auto* path : {"/x", "/etc/x", "/usr/x", "/dev/x", "/proc/sys/kernel/hostname"})
        EXPECT_NE(shell(std::string("echo > ") + path).status, 0) << path;
}

TEST(LaunchTest, NoPathOfTheHostIsMountedButTheDeclared) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto plan = plan_launch(request_for("box", {"true"}));
    ASSERT_TRUE(plan) << describe(plan.error());
    const auto text = shell("cat /proc/self/mountinfo").text;
    std::size_t lines = 0;
    for (const char c : text) lines += c == '\n';
    EXPECT_EQ(lines, plan->mounts.size()) << text;
    for (const auto& mount : plan->mounts)
        EXPECT_THAT(text, HasSubstr(" " + mount.place + " ")) << mount.place;
}

TEST(LaunchTest, WhatIsLeftOnTheHostBelongsToTheUserAndNobodyElseCanWrite) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const support::TempDir folder;
    ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
    ASSERT_EQ(::chown(folder.path().c_str(), 1234, 1234), 0);
    auto request = request_for("box", {"/bin/sh", "-c", "touch /srv/data/made; stat -c %u /srv/data"});
    made(request.profile.posture.mounts)["/srv/data"] = writable("bind", folder.path());
    const auto as_user = outcome_of(request);
    EXPECT_EQ(as_user.text, "999\n") << as_user.error;
    struct stat status{};
    ASSERT_EQ(::stat((folder / "made").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 1234u);
}

// Trap: an idmapped mount with the container's own map would let its root leave files of host root behind.
TEST(LaunchTest, RootInsideLeavesNoFileOfHostRoot) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto request = request_for("box", {"/bin/sh", "-c", "touch /srv/data/made; ls -lan /srv/data"});
    request.profile.posture.identity.uid = request.profile.posture.identity.gid = Exact<std::uint32_t>{0};
    made(request.profile.posture.mounts)["/srv/data"] = writable("bind", "{data}");
    const auto outcome = outcome_of(request);
    EXPECT_THAT(outcome.text, HasSubstr("made")) << outcome.error;
    const auto entries = sys::list_directory(AT_FDCWD, "/var/lib/guard").value();
    for (const auto& entry : entries) {
        struct stat file{};
        if (::lstat(("/var/lib/guard/" + entry + "/made").c_str(), &file) == 0) EXPECT_NE(file.st_uid, 0u);
    }
}

TEST(LaunchTest, RenamesAcrossDirectoriesWork) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto request =
        request_for("box", {"/bin/sh", "-c", "mkdir /tmp/a /tmp/b && touch /tmp/a/x && mv /tmp/a/x /tmp/b/"});
    made(request.profile.posture.mounts)["/tmp"] = writable("tmpfs");
    EXPECT_EQ(outcome_of(request).status, 0);
}

TEST(LaunchTest, DevicesWorkAlthoughOtherMountsHaveNone) {
    GUARD_SKIP_UNLESS_PRIVATE();
    EXPECT_EQ(
        shell("echo x > /dev/null && head -c 1 /dev/urandom > /dev/null && head -c1 /dev/zero >/dev/null")
            .status,
        0);
}

TEST(LaunchTest, CoreLimitsAreOneSoThatPipedHandlersStop) {
    GUARD_SKIP_UNLESS_PRIVATE();
    EXPECT_THAT(shell("grep core /proc/self/limits").text, HasSubstr("1                    1"));
}

TEST(LaunchTest, NoFurtherUserNamespaceCanBeMade) {
    GUARD_SKIP_UNLESS_PRIVATE();
    EXPECT_NE(shell("unshare -U true").status, 0);
}

// Trap: mounts that were moved into place are not locked; what holds them is that nobody inside may change
// them.
TEST(LaunchTest, NoMountCanBeMadeChangedOrTakenAway) {
    GUARD_SKIP_UNLESS_PRIVATE();
    for (const auto* script :
         {"mount -o remount,rw /proc/sys", "umount /proc/sys", "mount -t tmpfs none /tmp"})
        EXPECT_NE(shell(script).status, 0) << script;
    EXPECT_THAT(shell("cat /proc/self/mountinfo").text, ContainsRegex(" /proc/sys ro,"));
}

// Trap: where a file system can't map owners the kernel says EINVAL, which tells nobody anything.
TEST(LaunchTest, ASourceWhoseOwnersCannotBeMappedIsRefusedInWords) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto request = request_for("box", {"true"});
    Mount mount{.type = "bind", .source = "/sys/kernel"};
    mount.idmap = true;
    made(request.profile.posture.mounts)["/srv/kernel"] = mount;
    const auto outcome = outcome_of(request);
    EXPECT_EQ(outcome.status, 125);
    EXPECT_THAT(outcome.error, HasSubstr("/srv/kernel"));
    EXPECT_THAT(outcome.fix, HasSubstr("this file system cannot map owners"));
}

// Trap: a time namespace counts from a fork after its offsets are set.
TEST(LaunchTest, ItsClockSinceBootIsSetBack) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto request = request_for("box", {"cat", "/proc/uptime"});
    made(request.profile.posture.namespaces)["time"] = {Relation::To::own, ""};
    request.profile.service.boottime_offset = std::chrono::hours(1000);
    const auto outcome = outcome_of(request);
    EXPECT_GT(std::atof(outcome.text.c_str()), 3'600'000.0) << outcome.error;
}

TEST(LaunchTest, PidOneIsOutOfSight) {
    GUARD_SKIP_UNLESS_PRIVATE();
    for (const auto* file : {"environ", "cmdline", "mem", "root/etc", "exe"})
        EXPECT_NE(shell(std::string("cat /proc/1/") + file).status, 0) << file;
}

TEST(LaunchTest, ItsOwnNameIsKnownWithoutDns) {
    GUARD_SKIP_UNLESS_PRIVATE();
    EXPECT_EQ(shell("getent hosts $(cat /etc/hostname)").status, 0);
}

TEST(LaunchTest, TheMemoryLimitIsSeenInside) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto text =
        shell("cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null").text;
    EXPECT_THAT(text, HasSubstr("536870912"));
}

TEST(LaunchTest, NothingIsLeftAfterTheEndAndAfterAFailure) {
    GUARD_SKIP_UNLESS_PRIVATE();
    EXPECT_EQ(shell("true").status, 0);
    EXPECT_EQ(outcome_of(request_for("box", {"no-such-program"})).status, 127);
    EXPECT_TRUE(sys::list_directory(AT_FDCWD, "/run/guard")->empty());
}

TEST(LaunchTest, WhatIsMountedBelowASourceLaterStaysOutside) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const support::TempDir folder;
    const auto* const path = folder.path().c_str();
    ASSERT_EQ(::mount("tmpfs", path, "tmpfs", 0, nullptr), 0);
    ASSERT_EQ(::mount(nullptr, path, nullptr, MS_SHARED, nullptr), 0);
    auto request =
        request_for("box", {"/bin/sh", "-c", "grep -E 'shared:|master:' /proc/self/mountinfo; ls /srv/x"});
    made(request.profile.posture.mounts)["/srv/x"] = Mount{.type = "bind", .source = folder.path()};
    folder.write("here", "");
    const auto outcome = outcome_of(request);
    ASSERT_EQ(::umount2(path, MNT_DETACH), 0);
    EXPECT_EQ(outcome.text, "here\n") << outcome.error;
}

TEST(LaunchTest, AMissingMountSourceIsOneSentence) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto request = request_for("box", {"true"});
    made(request.profile.posture.mounts)["/srv/x"] = writable("bind", "/no/such/folder");
    const auto outcome = outcome_of(request);
    EXPECT_EQ(outcome.status, 125);
    EXPECT_EQ(outcome.error, "mount /no/such/folder on /srv/x: it does not exist");
}

TEST(LaunchTest, WithoutAFilterNothingIsLaunched) {
    auto request = request_for("box", {"true"});
    request.filter.clear();
    const auto ended = launch(request);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().status, 125);
}

TEST(LaunchTest, ThePrioritiesOfTheCallerStayOutside) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto own = ::getpid();
    const sched_param first{10}, none{};
    cpu_set_t one, before;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, -5), 0);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    ASSERT_EQ(::syscall(SYS_ioprio_set, 1, own, 1 << 13), 0);
    const bool realtime = ::sched_setscheduler(0, SCHED_FIFO, &first) == 0;  // some hosts give no share to it
    const auto outcome =
        shell("cut -d' ' -f 19,40,41 /proc/self/stat; grep Cpus_allowed_list /proc/self/status");
    const auto disk = ::syscall(SYS_ioprio_get, 1, own);
    if (realtime) ASSERT_EQ(::sched_setscheduler(0, SCHED_OTHER, &none), 0);
    ASSERT_EQ(::syscall(SYS_ioprio_set, 1, own, 0), 0);
    ASSERT_EQ(::sched_setaffinity(0, sizeof before, &before), 0);
    ASSERT_EQ(::setpriority(PRIO_PROCESS, 0, 0), 0);
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_EQ(disk, 1 << 13) << "the caller keeps its own";
    EXPECT_THAT(outcome.text, HasSubstr("0 0 0\n"));
    EXPECT_THAT(outcome.text, Not(HasSubstr("list:\t0\n")));
}

TEST(LaunchTest, TheExecutionSettingsOfTheCallerStayOutside) {
    GUARD_SKIP_UNLESS_PRIVATE();
    constexpr unsigned long kAsk = 0xFFFFFFFF;
    const auto before = static_cast<unsigned long>(::personality(kAsk));
    ASSERT_GE(::personality(before | ADDR_NO_RANDOMIZE), 0);
    const auto outcome = shell("cat /proc/self/personality");
    ASSERT_GE(::personality(before), 0);
    EXPECT_THAT(outcome.text, HasSubstr("00000000\n")) << outcome.error;
}

TEST(LaunchTest, TheTuningOfTheCallerStaysOutside) {
    GUARD_SKIP_UNLESS_PRIVATE();
    constexpr unsigned long kSlackNs = 7'000'000, kFirstNode = 1;
    constexpr int kDefaultPolicy = 0, kBindPolicy = 2;
    const auto slack = static_cast<unsigned long>(::prctl(PR_GET_TIMERSLACK));
    ASSERT_EQ(::prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), 0);
    ASSERT_EQ(::prctl(PR_SET_TIMERSLACK, kSlackNs), 0);
    // Some kernels are built without NUMA, and have no such policy that could get in.
    const bool numa = ::syscall(SYS_set_mempolicy, kBindPolicy, &kFirstNode, 8 * sizeof kFirstNode) == 0;
    const auto outcome =
        shell("grep THP /proc/self/status; cat /proc/self/timerslack_ns /proc/self/numa_maps");
    if (numa) ASSERT_EQ(::syscall(SYS_set_mempolicy, kDefaultPolicy, nullptr, 0), 0);
    ASSERT_EQ(::prctl(PR_SET_TIMERSLACK, slack), 0);
    ASSERT_EQ(::prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0), 0);
    EXPECT_THAT(outcome.text, HasSubstr("THP_enabled:\t1\n50000\n")) << outcome.error;
    if (numa) EXPECT_THAT(outcome.text, AllOf(HasSubstr(" default "), Not(HasSubstr(" bind:"))));
}

TEST(LaunchTest, NoForwardingOfThisMachineIsInherited) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto before = sys::read_file("/proc/sys/net/ipv4/ip_forward");
    ASSERT_TRUE(before);
    ASSERT_TRUE(sys::write_file("/proc/sys/net/ipv4/ip_forward", "1"));
    const auto outcome = shell("cat /proc/sys/net/ipv4/ip_forward");
    ASSERT_TRUE(sys::write_file("/proc/sys/net/ipv4/ip_forward", *before));
    EXPECT_EQ(outcome.text, "0\n") << outcome.error;
}

TEST(LaunchTest, CapabilitiesThatAreGivenAreHeldByTheCommandAlone) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto request = request_for("box", {"/bin/sh", "-c", "grep Cap /proc/self/status"});
    const CapabilitySet bind{1ULL << CAP_NET_BIND_SERVICE};
    auto& caps = request.profile.posture.caps;
    caps.bounding = caps.permitted = caps.effective = caps.inheritable = caps.ambient = bind;
    const auto text = outcome_of(request).text;
    for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
        EXPECT_THAT(text, HasSubstr(std::string(set) + ":\t0000000000000400"));
}

}  // namespace
}  // namespace guard::launcher
