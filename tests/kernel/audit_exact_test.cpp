#include "audit/exact.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <array>

#include "audit/audit.h"
#include "base/sys.h"
#include "launcher/launch.h"
#include "launcher/life.h"
#include "launcher/state.h"
#include "tests/support/child.h"
#include "tests/support/kernel_walk.h"
#include "tests/support/launched.h"
#include "tests/support/private_state.h"

// What only the kernel itself can say of a container, told about one that runs.
namespace guard {
namespace {

using audit::Ask;
using support::Child;

const support::PrivateState kPrivate;

/// Loads a filter that allows everything, unlike the one that was launched where `mark` is not 0.
bool add_filter(std::uint32_t mark) {
    std::array<sock_filter, 2> program{
        {BPF_STMT(BPF_LD | BPF_IMM, mark), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)}};
    const auto length = static_cast<unsigned short>(mark == 0 ? 1 : 2);
    const sock_fprog filter{length, program.data() + (2 - length)};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// Enters a container from outside and leaves a process in it that has as many filters as were launched.
bool come_in(const Record& record, std::uint32_t mark) {
    const auto pidfd = sys::pidfd_open(record.bindings.payload.pid);
    constexpr int kAll = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS |
                         CLONE_NEWIPC | CLONE_NEWCGROUP;
    std::array<int, 2> ready{};
    if (!pidfd || ::pipe2(ready.data(), O_CLOEXEC) != 0 || ::setns(pidfd->get(), kAll) != 0) return false;
    if (::fork() == 0) {
        static_cast<void>(::write(ready[1], add_filter(mark) ? "y" : "n", 1));
        for (;;) ::pause();
    }
    char answer = 0;
    return ::read(ready[0], &answer, 1) == 1 && answer == 'y';
}

class AuditExactTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        GUARD_SKIP_UNLESS_WALKED();
        launch({"/bin/sleep", "1000"});
    }
    void TearDown() override { stop(); }

    static void stop() { static_cast<void>(launcher::stop("box", std::chrono::seconds(1))); }
    void launch(std::vector<std::string> command) {
        auto request = support::request_for("box", std::move(command));
        request.detach = true;
        const auto started = launcher::launch(request);
        ASSERT_TRUE(started) << describe(started.error().error);
        const auto record = launcher::load_record("box");
        ASSERT_TRUE(record) << describe(record.error());
        record_ = *record;
    }
    [[nodiscard]] std::string told(Ask ask = Ask::when_unproved) const {
        const auto report = audit::audit_records({record_}, {.ask = ask});
        EXPECT_TRUE(report) << describe(report.error());
        std::string text;
        if (report)
            for (const auto& finding : report->findings)
                text += fmt::format("{} {} found '{}' {}\n", finding.check->id, finding.item,
                                    finding.observed, finding.reason);
        return text;
    }
    Record record_;
};

TEST_F(AuditExactTest, TheKernelItselfSaysThatAllIsAsLaunched) { EXPECT_EQ(told(Ask::bpf), ""); }

TEST_F(AuditExactTest, FiltersReadByPtraceAreAsLaunched) { EXPECT_EQ(told(Ask::ptrace), ""); }

// The first process takes over whoever lost its parent: its own, and those that came in from outside.
TEST_F(AuditExactTest, AProcessThatTheFirstOneTookOverIsAsLaunched) {
    stop();
    launch({"/bin/sh", "-c", "(/bin/sleep 1000 &); exec /bin/sleep 1000"});
    std::string text;
    for (int attempt = 0; attempt < 20; ++attempt)  // until both have executed
        if (text = told(); text.empty()) break;
    EXPECT_EQ(text, "");
    EXPECT_EQ(told(Ask::bpf), "");
}

TEST_F(AuditExactTest, AProcessThatCameInAndLostItsParentIsFoundByItsFilter) {
    for (const std::uint32_t mark : {0U, 7U}) {
        {
            const Child enters([this, mark] { return come_in(record_, mark); });
        }  // ends: what it left inside becomes the first process's child
        EXPECT_NE(told().find("process.foreign"), std::string::npos) << told();
    }
}

TEST_F(AuditExactTest, AFilterThatATracerSwitchedOffIsNoFilter) {
    const auto pid = record_.bindings.payload.pid;
    const Child tracer([pid] { return ::ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_SUSPEND_SECCOMP) == 0; });
    const auto text = told();
    EXPECT_NE(text.find("traced  found"), std::string::npos) << text;
    EXPECT_NE(text.find("seccomp.mode  found 'open'"), std::string::npos) << text;
}

TEST_F(AuditExactTest, AFilterThatWasRecordedAndIsNotThereIsNamedWithWhatIsAllowedInstead) {
    made(record_.launched.posture.seccomp.content) = {{"000000000000", Lock::held}};
    const auto text = told(Ask::bpf);
    EXPECT_NE(text.find("seccomp.content 000000000000"), std::string::npos) << text;
    EXPECT_NE(text.find("seccomp.access  found 'also "), std::string::npos) << text;
}

}  // namespace
}  // namespace guard
