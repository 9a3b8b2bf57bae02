#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "base/task_iterator.h"
#include "tests/support/container.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// Launched, then audited: nothing found, nothing unknown. Then each drift is
// made for real, found, undone and gone.
namespace guard {
namespace {

const support::PrivateState kPrivate;

/// A container that sleeps, for one test.
class AuditRoundTripTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (const auto why = support::Container::none_here()) GTEST_SKIP() << *why;
        profile_ = folder_.write("sleeper.toml",
                                 "guard = 1\nextends = [\"base\"]\n"
                                 "[process]\ncommand = [\"/bin/sleep\", \"1000\"]\n");
        container_ = std::make_unique<support::Container>("one", profile_);
        ASSERT_EQ(container_->launched().status, 0) << container_->launched().err;
    }

    void shell(const std::string& line) const { container_->shell(line); }
    [[nodiscard]] std::string told() const { return container_->told(); }
    [[nodiscard]] Record& record() const { return container_->record; }

    support::TempDir folder_;
    std::string profile_;
    std::unique_ptr<support::Container> container_;
};

/// One way to drift: how it is made and undone, and the finding that tells.
struct Drift {
    const char* name;
    const char* make;
    const char* undo;
    const char* finding;  ///< "CHECK ITEM"
};
constexpr Drift kDrifts[] = {
    {"a mount is added", "nsenter -t $P -m mount -t tmpfs t /srv", "nsenter -t $P -m umount /srv",
     "mounts /srv found"},
    {"a mount becomes writable", "nsenter -t $P -m mount -o remount,bind,rw,nosuid,nodev /usr",
     "nsenter -t $P -m mount -o remount,bind,ro,nosuid,nodev /usr", "mounts /usr write found"},
    {"a mount may hold set-user-id programs", "nsenter -t $P -m mount -o remount,bind,ro,nodev /usr",
     "nsenter -t $P -m mount -o remount,bind,ro,nosuid,nodev /usr", "mounts /usr suid found"},
    {"something covers the hidden paths", "nsenter -t $P -m mount -t tmpfs t /proc",
     "nsenter -t $P -m umount /proc", "mounts /proc/sys found"},
    {"a limit of the process is lower", "prlimit --pid $P --nofile=128:20000",
     "prlimit --pid $P --nofile=20000:20000", "rlimits nofile:soft found '128'"},
    {"the host name is another", "nsenter -t $P -u hostname drifted", "nsenter -t $P -u hostname one",
     "hostname  found 'drifted'"},
    {"the order of going is another", "echo 500 >/proc/$P/oom_score_adj", "echo 0 >/proc/$P/oom_score_adj",
     "limits.oom-score-adj  found '500'"},
    {"an interface is added", "nsenter -t $P -n ip link add vx type veth peer name vy",
     "nsenter -t $P -n ip link del vx", "network.interfaces vx found"},
    {"more processes may run", "f=$(find /sys/fs/cgroup -path '*/guard/one/pids.max'); echo 999 >$f",
     "f=$(find /sys/fs/cgroup -path '*/guard/one/pids.max'); echo 128 >$f", "limits pids found '999'"},
    {"more of the processor may be used",
     "f=$(find /sys/fs/cgroup -path '*/guard/one/cpu.cfs_quota_us'); echo "
     "200000 >$f",
     "f=$(find /sys/fs/cgroup -path '*/guard/one/cpu.cfs_quota_us'); echo "
     "100000 >$f",
     "limits cpus found"},
    {"it is served before others", "renice -n -5 -p $P >/dev/null", "renice -n 0 -p $P >/dev/null",
     "scheduling.nice  found '-5'"},
    {"it is kept on one core", "taskset -p -c 0 $P >/dev/null", "taskset -p -c 0-1023 $P >/dev/null",
     "scheduling.cores  found 'only 0'"},
    {"its disk traffic goes first", "ionice -c 1 -p $P", "ionice -c 0 -p $P",
     "scheduling.disk  found 'open'"},
    {"it has left its cgroup", "echo $P >/sys/fs/cgroup/pids/cgroup.procs",
     "echo $P >$(find /sys/fs/cgroup/pids -path '*/guard/one/cgroup.procs')", "process.outside-cgroup"},
};

TEST_F(AuditRoundTripTest, WhatWasLaunchedIsAsLaunched) { EXPECT_EQ(told(), ""); }

TEST_F(AuditRoundTripTest, EachDriftIsFoundAndGoneWhenUndone) {
    for (const auto& drift : kDrifts) {
        SCOPED_TRACE(drift.name);
        shell(drift.make);
        EXPECT_NE(told().find(drift.finding), std::string::npos) << told();
        shell(drift.undo);
        EXPECT_EQ(told(), "");
    }
}

TEST_F(AuditRoundTripTest, AThreadInRealTimeIsNamedWithItsPriority) {
    // On v1 a cgroup has no share of real time until somebody gives it one.
    shell(
        "for f in /sys/fs/cgroup/cpu $(find /sys/fs/cgroup/cpu -path '*/guard' -o -path '*/guard/one'); do "
        "[ ! -e $f/cpu.rt_runtime_us ] || echo 50000 >$f/cpu.rt_runtime_us; done");
    const auto pid = record().bindings.payload.pid;
    const sched_param first{10}, none{};
    if (::sched_setscheduler(pid, SCHED_FIFO, &first) < 0)
        GTEST_SKIP() << "this machine lets no task of a cgroup run in real time: " << std::strerror(errno);
    EXPECT_NE(told().find("scheduling.policy  found 'fifo 10'"), std::string::npos) << told();
    ASSERT_EQ(::sched_setscheduler(pid, SCHED_OTHER, &none), 0);
    EXPECT_EQ(told(), "");
}

TEST_F(AuditRoundTripTest, AProcessThatCameFromOutsideIsNamedWithItsNamespaces) {
    shell("nsenter -t $P -m -u -i -n -p -U sleep 2 >/dev/null 2>&1 & sleep 0.3");
    const auto all = container_->findings();
    const auto foreign = std::ranges::find_if(all, [](const Finding& finding) {
        return finding.check->id == "process.foreign" && finding.subjects.front().command == "sleep";
    });
    ASSERT_NE(foreign, all.end()) << told();
    EXPECT_EQ(foreign->severity, Severity::critical);
    EXPECT_NE(foreign->observed.find("no filter"), std::string::npos);
}

TEST_F(AuditRoundTripTest, AProcessOfThisMachineInTheCgroupIsNamed) {
    shell(
        "sleep 2 >/dev/null 2>&1 & echo $! >$(find /sys/fs/cgroup/pids -path "
        "'*/guard/one/cgroup.procs')");
    EXPECT_NE(told().find("process.escaped"), std::string::npos) << told();
}

TEST_F(AuditRoundTripTest, ATracerIsFoundAndTakesTheProofsAway) {
    shell("timeout 3 strace -p $P -o /dev/null >/dev/null 2>&1 & sleep 0.7");
    const auto text = told();
    EXPECT_NE(text.find("traced  found 'open'"), std::string::npos) << text;
    // What is not proved any more the kernel answers, where it can be asked.
    const bool unproved = text.find("a tracer is attached") != std::string::npos;
    EXPECT_NE(unproved, TaskIterator::open({}).has_value()) << text;
}

TEST_F(AuditRoundTripTest, ARecordOfAnotherBootIsNoProofOfAnything) {
    record().bindings.boot_id = "another";
    EXPECT_NE(told().find("record.other-boot"), std::string::npos);
}

TEST_F(AuditRoundTripTest, AFieldThatTheRecordDoesNotHaveIsUnknown) {
    record().launched.posture.clocks = Unknown{0, std::string(kNotRecorded)};
    EXPECT_EQ(told(), fmt::format("clocks  found '' by  {}\n", kNotRecorded));
}

TEST_F(AuditRoundTripTest, AChangedProfileIsNamed) {
    folder_.write("sleeper.toml", "guard = 1\n");
    EXPECT_NE(told().find("record.profile-changed  found '" + profile_), std::string::npos) << told();
}

TEST_F(AuditRoundTripTest, AContainerThatWasStoppedIsNotRunning) {
    ASSERT_EQ(support::run_guard({"stop", "one", "--timeout", "1s"}).status, 0);
    EXPECT_NE(told().find("process.not-running"), std::string::npos);
}

}  // namespace
}  // namespace guard
