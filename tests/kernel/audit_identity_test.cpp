#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <thread>

#include "audit/scan.h"
#include "audit/task.h"
#include "base/proc_stat.h"
#include "base/process.h"
#include "base/sys.h"
#include "tests/support/container.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// Wrong answers are worse than none: what is read is of one process at one moment, or it is unknown.
namespace guard {
namespace {

using ::testing::HasSubstr;

const support::PrivateState kPrivate;

/// A child with a pid of one's choice (0: any) that waits to be killed. clone3(2) set_tid
struct Sleeper {
    explicit Sleeper(pid_t wanted = 0) {
        clone_args arguments{};
        int fd = -1;
        arguments.flags = CLONE_PIDFD;
        arguments.pidfd = reinterpret_cast<std::uintptr_t>(&fd);
        arguments.exit_signal = SIGCHLD;
        if (wanted != 0) {
            arguments.set_tid = reinterpret_cast<std::uintptr_t>(&wanted);
            arguments.set_tid_size = 1;
        }
        pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
        if (pid == 0)
            for (;;) ::pause();
        pidfd.reset(fd);
    }
    ~Sleeper() { end(); }
    void end() {
        if (!pidfd) return;
        static_cast<void>(sys::pidfd_send_signal(pidfd.get(), SIGKILL));
        ::waitpid(pid, nullptr, 0);
        pidfd.reset();
    }
    pid_t pid = 0;
    UniqueFd pidfd;
};

TEST(AuditIdentityTest, APidThatIsAnothersByNowIsNeverReadAsTheFirstOne) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Sleeper first;
    const auto proc = open_proc().value();
    const auto folder = audit::open_process_folder(proc.get(), first.pid);
    ASSERT_TRUE(folder);
    first.end();
    const Sleeper second(first.pid);
    ASSERT_EQ(second.pid, first.pid) << "the pid was not given again";
    audit::NamespaceTable namespaces;
    EXPECT_FALSE(audit::read_facts(folder->folder.get(), namespaces));
    EXPECT_FALSE(folder->alive());
    EXPECT_TRUE(audit::open_process_folder(proc.get(), second.pid));
}

class AuditOfContainerTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (const auto why = support::Container::none_here()) GTEST_SKIP() << *why;
        const auto profile = folder_.write("sleeper.toml",
                                           "guard = 1\nextends = [\"base\"]\n"
                                           "[process]\ncommand = [\"/bin/sleep\", \"1000\"]\n");
        container_ = std::make_unique<support::Container>("one", profile);
        ASSERT_EQ(container_->launched().status, 0) << container_->launched().err;
    }

    /// In a process of its own, after `prepare`: the first unknown's reason, "error: ..." where the audit
    /// itself failed, "ok" where it knows all, "found" where it claims a finding.
    std::string told_after(const std::function<bool()>& prepare) const {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        const auto child = ::fork();
        if (child == 0) {
            const auto text = prepare() ? verdict() : std::string("could not be prepared");
            ::_exit(::write(ends[1], text.data(), text.size()) < 0 ? 1 : 0);
        }
        ::close(ends[1]);
        const UniqueFd from(ends[0]);
        auto text = sys::read_all(from.get(), "the verdict").value_or("");
        ::waitpid(child, nullptr, 0);
        return text;
    }

    /// What the program itself says and ends with, after `prepare`.
    static support::RunResult guard_after(const std::function<bool()>& prepare,
                                          const std::vector<std::string>& arguments) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        const auto child = ::fork();
        if (child == 0) {
            auto result = prepare() ? support::run_guard(arguments) : support::RunResult{};
            const auto said = result.out + result.err;
            ::_exit(::write(ends[1], said.data(), said.size()) < 0 ? 99 : result.status);
        }
        ::close(ends[1]);
        const UniqueFd from(ends[0]);
        support::RunResult result;
        result.out = sys::read_all(from.get(), "what it says").value_or("");
        int status = 0;
        ::waitpid(child, &status, 0);
        result.status = WEXITSTATUS(status);
        return result;
    }

    support::TempDir folder_;
    std::unique_ptr<support::Container> container_;

private:
    std::string verdict() const {
        const auto report = audit::audit_records({container_->record}, {});
        if (!report) return "error: " + describe(report.error());
        for (const auto& finding : report->findings)
            if (finding.verdict != Verdict::unknown) return "found " + std::string(finding.check->id);
        return report->findings.empty() ? "ok" : "unknown " + report->findings.front().reason;
    }
};

bool remount_proc(const char* type, const char* options) {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount(type, "/proc", type, 0, options) == 0;
}
bool become_nobody() {
    constexpr uid_t kNobody = 65534;
    return ::syscall(SYS_setgroups, 0, nullptr) == 0 && ::setresgid(kNobody, kNobody, kNobody) == 0 &&
           ::setresuid(kNobody, kNobody, kNobody) == 0;
}

TEST_F(AuditOfContainerTest, AsRootAllIsKnown) {
    EXPECT_EQ(told_after([] { return true; }), "ok");
}

TEST_F(AuditOfContainerTest, AnotherUserIsToldWhatCouldNotBeSeenAndFindsNothing) {
    EXPECT_THAT(told_after(become_nobody), HasSubstr("unknown "));
}

TEST_F(AuditOfContainerTest, ProcessesThatProcHidesAreUnknownAndNotEnded) {
    const auto told = told_after([] { return remount_proc("proc", "hidepid=2") && become_nobody(); });
    EXPECT_THAT(told, HasSubstr("unknown "));
}

TEST_F(AuditOfContainerTest, AProcThatIsNoneIsAnErrorWithTheWayOut) {
    const auto told = told_after([] { return remount_proc("tmpfs", nullptr); });
    EXPECT_THAT(told, HasSubstr("error: "));
    EXPECT_THAT(told, HasSubstr("not the proc file system"));
}

// The state of an ordinary user, who launched this container as it were.
bool become_its_owner(const Record& record, const std::string& state) {
    const auto folder = state + "/guard/" + record.name;
    if (!sys::make_directories(folder, 0755) || ::chmod((state + "/..").c_str(), 0755) != 0 ||
        !sys::replace_file(folder + "/record.json", record_to_json(record), 0600, sys::Sync::no))
        return false;
    for (const auto* name : {"", "/guard", "/guard/one", "/guard/one/record.json"})
        if (::chown((state + name).c_str(), 65534, 65534) != 0) return false;
    return ::setenv("XDG_RUNTIME_DIR", state.c_str(), 1) == 0 && become_nobody();
}

TEST_F(AuditOfContainerTest, TheProgramEndsWithThreeWhereItCouldNotSee) {
    const auto state = folder_ / "state";
    const auto pid = std::to_string(container_->record.bindings.payload.pid);
    const auto owner = [&] { return become_its_owner(container_->record, state); };
    const auto hidden = [&] { return remount_proc("proc", "hidepid=2") && owner(); };
    const auto none = [] { return remount_proc("tmpfs", nullptr); };
    struct Row {
        const char* name;
        std::function<bool()> prepare;
        std::vector<std::string> arguments;
        const char *says, *does;
    };
    const Row rows[] = {
        {"files that only root reads", owner, {"audit", "one"}, "Permission denied", "sudo guard audit one"},
        {"the same of any process",
         owner,
         {"audit", "--pid", pid, "--profile", "base", "--fail-on", "critical"},
         "Permission denied",
         "sudo guard audit --pid"},
        {"hidden processes", hidden, {"audit", "one"}, "/proc does not show it", "sudo guard audit one"},
        {"a hidden process",
         hidden,
         {"audit", "--pid", pid, "--profile", "base"},
         "hides other users' processes",
         "sudo guard audit --pid"},
        {"a survey of hidden processes", hidden, {"audit", "--all"}, "hidepid", ""},
        {"no proc at all", none, {"audit"}, "not the proc file system", "mount -t proc proc /proc"},
        {"the same for a survey", none, {"audit", "--all"}, "not the proc file system", "mount -t proc"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        const auto result = guard_after(row.prepare, row.arguments);
        EXPECT_EQ(result.status, 3) << result.out;
        EXPECT_THAT(result.out, HasSubstr(row.says));
        EXPECT_THAT(result.out, HasSubstr(row.does));
    }
}

/// PID 1 of a pid namespace, which ends and can't: it waits for its last process, whose parent is outside and
/// does not ask for it. Until then it is neither alive nor a zombie. pid_namespaces(7)
struct EndingInit {
    EndingInit() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        parent_ = ::fork();
        if (parent_ == 0) {
            if (::unshare(CLONE_NEWPID) != 0) ::_exit(1);
            const Sleeper init;
            const Sleeper other;
            static_cast<void>(sys::pidfd_send_signal(init.pidfd.get(), SIGKILL));
            static_cast<void>(::write(ends[1], &init.pid, sizeof init.pid));
            for (;;) ::pause();
        }
        ::close(ends[1]);
        EXPECT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
        ::close(ends[0]);
        held_ = sys::pidfd_open(parent_).value();
        for (int tries = 0; tries < 500 && !ending(); ++tries) ::usleep(10'000);
    }
    EndingInit(const EndingInit&) = delete;
    EndingInit& operator=(const EndingInit&) = delete;
    ~EndingInit() {
        static_cast<void>(sys::pidfd_send_signal(held_.get(), SIGKILL));
        ::waitpid(parent_, nullptr, 0);
    }
    [[nodiscard]] bool ending() const {
        const auto folder = fmt::format("/proc/{}/", pid);
        const auto stat = parse_proc_stat(sys::read_file(folder + "stat").value_or(""));
        const auto network = sys::readlinkat(AT_FDCWD, folder + "ns/net");
        return stat && stat->ending() && !network && network.error().code == ENOENT;
    }
    pid_t pid = 0;

private:
    pid_t parent_ = 0;
    UniqueFd held_;
};

TEST(AuditOfTheEndingTest, AProcessThatGivesAwayWhatItHasIsNotJudged) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const EndingInit init;
    ASSERT_TRUE(init.ending());
    const auto proc = open_proc().value();
    const auto seen = audit::scan(proc.get(), {.namespaces = {}, .cgroups = {}, .inits = {init.pid}}, {});
    ASSERT_TRUE(seen);
    EXPECT_TRUE(seen->parents.contains(init.pid)) << "it was looked at";
    for (const auto& task : seen->tasks) EXPECT_NE(task.pid, init.pid) << task.facts.status.state;
}

// Each is a copy of this process, which has the container's namespaces open while it looks at them.
TEST_F(AuditOfContainerTest, AStormOfShortLivedProcessesChangesNothing) {
    constexpr int kBorn = 300;
    std::atomic<bool> over = false;
    std::atomic<int> born = 0;
    std::thread storm([&over, &born] {
        while (!over) {
            const auto child = ::fork();
            if (child == 0) ::_exit(0);
            ::waitpid(child, nullptr, 0);
            ++born;
        }
    });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    for (int round = 0; round < 20 || (born <= kBorn && std::chrono::steady_clock::now() < end); ++round)
        EXPECT_EQ(container_->told(), "") << "round " << round;
    over = true;
    storm.join();
    EXPECT_GT(born, kBorn) << "within 30 s";
}

}  // namespace
}  // namespace guard
