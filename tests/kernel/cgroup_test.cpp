#include "launcher/cgroup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>

#include "base/process.h"
#include "base/sys.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

namespace guard::launcher {
namespace {

using support::text_of;
const support::PrivateState kState(support::Network::host);

Posture limited(Limits limits) {
    auto posture = nothing_granted();
    posture.limits = std::move(limits);
    return posture;
}
const Limits kSmall{
    {"memory", {64ULL << 20U}}, {"swap", {0}}, {"cpus", {500'000}}, {"cpu-weight", {50}}, {"pids", {40}}};

// A container's cgroups, made for one test and gone at its end.
class Leaf {
public:
    explicit Leaf(const Posture& posture, const std::set<std::string>& optional = {}) {
        auto planned = plan_cgroup(posture, optional, "web");
        EXPECT_TRUE(planned) << (planned ? "" : describe(planned.error()) + planned.error().fix);
        if (!planned) return;
        plan = std::move(*planned);
        auto made = make_cgroup(plan);
        EXPECT_TRUE(made) << (made ? "" : describe(made.error()) + made.error().fix);
        if (made) doors = std::move(*made);
    }
    Leaf(const Leaf&) = delete;
    Leaf& operator=(const Leaf&) = delete;
    ~Leaf() {
        EXPECT_TRUE(kill_cgroup(plan.leaves));
        for (const auto& made : plan.will_make) EXPECT_TRUE(undo_cgroup(made)) << made.what;
    }
    // Runs `body` in a child that is in the leaf; its pidfd.
    UniqueFd run(int (*body)()) const {
        const pid_t child = ::fork();
        if (child == 0) {
            const bool entered = enter();
            ::raise(SIGSTOP);
            ::_exit(entered ? body() : kNotEntered);
        }
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, WUNTRACED), child);
        auto pidfd = sys::pidfd_open(child);
        EXPECT_TRUE(pidfd);
        EXPECT_TRUE(sys::pidfd_send_signal(pidfd->get(), SIGCONT));
        return std::move(*pidfd);
    }
    [[nodiscard]] std::string folder_of(const std::string& controller) const {
        return plan.leaves.at(plan.unified ? "" : controller);
    }
    CgroupPlan plan;
    CgroupDoors doors;
    static constexpr int kNotEntered = 99;

private:
    // As the child of a launch does; which is cloned into a v2 leaf, where one that is forked has to move.
    [[nodiscard]] bool enter() const {
        for (const auto& tasks : doors.tasks)
            if (::write(tasks.get(), &CgroupDoors::kItself, 1) != 1) return false;
        const auto leaf = plan.leaves.find("");
        return leaf == plan.leaves.end() || sys::write_file(leaf->second + "/cgroup.procs", "0");
    }
};

// Status of an ended child as a shell tells it.
int status_of(const UniqueFd& pidfd) {
    siginfo_t info{};
    EXPECT_EQ(::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED), 0);
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}
std::size_t tasks_in(const std::string& leaf) {
    const auto text = text_of(leaf + "/cgroup.procs");
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

TEST(CgroupTest, LimitsAreReadBackAsThePlanSays) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Leaf leaf(limited(kSmall));
    const auto version = leaf.plan.unified ? CgroupFiles::v2 : CgroupFiles::v1;
    std::map<std::string, std::string> files;
    for (const auto& name : limit_file_names(version)) {
        const auto held = leaf.plan.leaves.find(leaf.plan.unified ? "" : name.controller);
        if (held == leaf.plan.leaves.end()) continue;
        if (const auto text = sys::read_file(held->second + "/" + name.file)) files[name.file] = *text;
    }
    EXPECT_EQ(limits_in(version, files), leaf.plan.limits);
    EXPECT_EQ(leaf.plan.limits, kSmall);
}

TEST(CgroupTest, ProcFindsAProcessWhereTheBindingsSay) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Leaf leaf(limited(kSmall));
    const auto child = leaf.run([] { return ::pause(); });
    const auto pid = std::stoi(text_of(leaf.folder_of("pids") + "/cgroup.procs"));
    const auto cgroups = cgroups_of(pid);
    ASSERT_TRUE(cgroups);
    for (const auto& [controller, path] : leaf.plan.paths)
        EXPECT_EQ(cgroups->at(controller), path) << controller;
}

TEST(CgroupTest, AForkBombIsHeldAndEnded) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Leaf leaf(limited(kSmall));
    // Each of them forks for ever: no list of processes that is read is still true when it is used.
    const auto child = leaf.run([] {
        for (;;)
            if (::fork() < 0) ::usleep(100);
        return 0;
    });
    // Those that ended and were not waited for count too, but are not listed any more.
    for (int i = 0; i < 500 && read_usage(leaf.plan.leaves).pids != 40U; ++i) ::usleep(10'000);
    EXPECT_EQ(read_usage(leaf.plan.leaves).pids, 40U);
    const auto killed = kill_cgroup(leaf.plan.leaves);
    EXPECT_TRUE(killed) << (killed ? "" : describe(killed.error()));
    EXPECT_EQ(tasks_in(leaf.folder_of("pids")), 0U);
    EXPECT_EQ(status_of(child), 128 + SIGKILL);
}

TEST(CgroupTest, V1AloneEndsAForkBombByPidfd) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Leaf leaf(limited(kSmall));
    if (leaf.plan.unified) GTEST_SKIP() << "this host has cgroups v2";
    const auto child = leaf.run([] {
        for (;;)
            if (::fork() < 0) ::usleep(100);
        return 0;
    });
    for (int i = 0; i < 200 && tasks_in(leaf.folder_of("pids")) < 40; ++i) ::usleep(10'000);
    auto leaves = leaf.plan.leaves;
    leaves.erase("");  // without cgroup.kill, as before 5.14
    const auto killed = kill_cgroup(leaves);
    EXPECT_TRUE(killed) << (killed ? "" : describe(killed.error()));
    EXPECT_EQ(tasks_in(leaf.folder_of("pids")), 0U);
    EXPECT_EQ(status_of(child), 128 + SIGKILL);
}

TEST(CgroupTest, AMemoryHogDiesAloneAndIsCounted) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Leaf leaf(limited(kSmall));
    const auto child = leaf.run([] {
        constexpr std::size_t kMuch = 256U << 20U;
        void* const memory =
            ::mmap(nullptr, kMuch, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        std::memset(memory, 1, kMuch);
        return 0;
    });
    EXPECT_EQ(status_of(child), 128 + SIGKILL);
    const auto usage = read_usage(leaf.plan.leaves);
    EXPECT_GE(usage.oom_kills.value_or(0), 1U);
    EXPECT_GT(usage.memory_peak.value_or(60ULL << 20U), 50ULL << 20U);
    EXPECT_TRUE(usage.cpu_usec.has_value());
    EXPECT_TRUE(usage.memory.has_value());
}

TEST(CgroupTest, OnlyHarmlessDevicesCanBeOpened) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Leaf leaf(limited(kSmall));
    const auto child = leaf.run([] {
        for (const auto* path : {"/dev/null", "/dev/zero", "/dev/urandom"})
            if (::open(path, O_RDWR | O_CLOEXEC) < 0) return 1;
        return ::open("/dev/kmsg", O_RDONLY | O_CLOEXEC) < 0 && errno == EPERM ? 0 : 2;
    });
    EXPECT_EQ(status_of(child), 0) << "1: a harmless device is closed; 2: /dev/kmsg is open";
}

TEST(CgroupTest, ADeclaredDeviceCanBeRead) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto posture = limited(kSmall);
    posture.devices = Grants<std::string>{{"/dev/kmsg:r"}};
    const Leaf leaf(posture);
    const auto child = leaf.run([] {
        if (::open("/dev/kmsg", O_RDONLY | O_CLOEXEC) < 0) return 1;
        return ::open("/dev/kmsg", O_WRONLY | O_CLOEXEC) < 0 ? 0 : 2;
    });
    EXPECT_EQ(status_of(child), 0) << "1: it can't be read; 2: it can be written";
}

TEST(CgroupTest, CoresCanBeChosen) {
    GUARD_SKIP_UNLESS_PRIVATE();
    auto posture = limited(kSmall);
    posture.cpuset = Grants<std::uint32_t>{{0}};
    const Leaf leaf(posture);
    const auto child = leaf.run([] {
        cpu_set_t cores;
        if (::sched_getaffinity(0, sizeof cores, &cores) != 0) return 100;
        return CPU_COUNT(&cores);
    });
    EXPECT_EQ(status_of(child), 1);
}

TEST(CgroupTest, NothingIsLeft) {
    GUARD_SKIP_UNLESS_PRIVATE();
    std::vector<Made> made;
    {
        const Leaf leaf(limited(kSmall));
        made = leaf.plan.will_make;
        for (const auto& row : made) EXPECT_TRUE(std::filesystem::exists(row.what)) << row.what;
    }
    for (const auto& row : made) {
        const auto shared = std::filesystem::path(row.what).parent_path();
        EXPECT_FALSE(std::filesystem::exists(shared)) << shared;
        EXPECT_TRUE(undo_cgroup(row)) << "again: " << row.what;
    }
    EXPECT_TRUE(kill_cgroup({{"pids", "/sys/fs/cgroup/pids/guard/never-was"}}));
}

TEST(CgroupTest, AFreezeOfSomebodyElseDoesNotKeepItAlive) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Leaf leaf(limited(kSmall));
    if (!leaf.plan.leaves.contains("freezer")) GTEST_SKIP() << "there is no freezer of v1 here";
    const auto child = leaf.run([] { return ::pause(); });
    ASSERT_TRUE(sys::write_file(leaf.plan.leaves.at("freezer") + "/freezer.state", "FROZEN"));
    EXPECT_TRUE(kill_cgroup(leaf.plan.leaves));
    EXPECT_EQ(status_of(child), 128 + SIGKILL);
}

}  // namespace
}  // namespace guard::launcher
