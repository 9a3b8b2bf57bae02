#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>
#include <thread>

#include "base/sys.h"
#include "base/task_iterator.h"
#include "tests/support/container.h"
#include "tests/support/drift.h"
#include "tests/support/injected_call.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// Drifts that a process of the container makes itself, as far as a filter lets it: the minecraft profile,
// with the calls for them allowed. Each is found, named by its task, and gone when it is undone.
namespace guard {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

const support::PrivateState kPrivate;

class DriftInsideTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (const auto why = support::Container::none_here()) GTEST_SKIP() << *why;
    }
    /// With the calls that its drifts need; `more` is of the profile's process first, `filter` of its filter.
    void launch(const std::string& more = "", const std::string& filter = "") {
        const auto profile = support::write_drift_profile(
            folder_, more +
                         "[seccomp]\nallow = [\"@base\", \"@file\", \"@thread\", \"@process\", "
                         "\"@net-server\", \"unshare\", \"personality\", \"prctl\", \"capset\", "
                         "\"ioctl\", \"setresuid\", \"setresgid\", \"setgroups\", \"setns\", "
                         "\"setsid\"]\n" +
                         filter);
        container_ = std::make_unique<support::Container>("loose", profile);
        ASSERT_EQ(container_->launched().status, 0) << container_->launched().err;
        support::await_drifter(kSocket);
        ASSERT_EQ(told(), "") << "before the drift";
    }
    /// Guard lets no user namespace be made inside; somebody of this machine's allows it again.
    void allow_namespaces() const {
        container_->shell(
            "nsenter -t $P -U -S 0 -G 0 sh -c 'for n in user time; do echo 9 "
            ">/proc/sys/user/max_${n}_namespaces; "
            "done'");
    }
    static void inside(const std::string& command, int fd = -1) {
        support::tell_drifter(kSocket, command, fd);
    }
    [[nodiscard]] std::string told() const { return container_->told(); }
    [[nodiscard]] Record& record() const { return container_->record; }
    [[nodiscard]] bool kernel_can_be_asked() const { return TaskIterator::open({}).has_value(); }

    static constexpr const char* kSocket = "/var/lib/guard/loose/drift.sock";
    support::TempDir folder_;
    std::unique_ptr<support::Container> container_;
};

TEST_F(DriftInsideTest, Rows6_7_8_17_42_AUserNamespaceInsideGivesEveryRightAndIdsOfItsOwn) {
    launch();
    allow_namespaces();
    inside("nest");
    const auto text = told();
    EXPECT_THAT(text, AllOf(HasSubstr("namespaces user found 'one made inside' by drifter"),
                            HasSubstr("caps.effective CAP_SYS_ADMIN found 'held' by drifter"),
                            HasSubstr("caps.permitted CAP_SYS_ADMIN found 'held'"),
                            HasSubstr("caps.bounding CAP_SYS_ADMIN found 'held'"),
                            HasSubstr("caps.inheritable CAP_SYS_ADMIN found 'held'"),
                            HasSubstr("caps.ambient CAP_SYS_ADMIN found 'held'"),
                            HasSubstr("users.uid-map id 0 inside = own id 999 found 'granted'")));
    if (kernel_can_be_asked()) {
        EXPECT_THAT(text, HasSubstr("securebits noroot-locked found 'open' by drifter"));
    }
    inside("end-children");
    EXPECT_EQ(told(), "");
}

// Each program is open to its neighbours from its exec on; PID 1, which holds guard's own memory, is not.
TEST_F(DriftInsideTest, Row36_ThatNeighboursMayReadPid1IsTold) {
    launch();
    const auto set_dumpable = [this](unsigned long dumpable) {
        const auto called =
            support::call_in(record().bindings.init.pid, SYS_prctl, {PR_SET_DUMPABLE, dumpable, 0});
        ASSERT_TRUE(called) << describe(called.error());
    };
    set_dumpable(1);
    EXPECT_EQ(told(), "dumpable  found 'open' by guard-init \n");
    set_dumpable(0);
    EXPECT_EQ(told(), "");
}

// No filter sees what the kernel maps for a program at its exec.
std::string with_a_stack_that_executes(std::string program) {
    auto* const bytes = program.data();
    const auto* const header = reinterpret_cast<const Elf64_Ehdr*>(bytes);
    auto* const segments = reinterpret_cast<Elf64_Phdr*>(bytes + header->e_phoff);
    for (auto& segment : std::span(segments, header->e_phnum))
        if (segment.p_type == PT_GNU_STACK) segment.p_flags |= PF_X;
    return program;
}

TEST_F(DriftInsideTest, Row37_MemoryThatMayBeWrittenAndExecutedIsTold) {
    // The profile of a program that compiles nothing.
    launch("", "replace = [\"allow\"]\n");
    const auto drifter = sys::read_file(folder_ / "bin/drifter").value();
    folder_.write("bin/odd", with_a_stack_that_executes(drifter), 0755);
    inside("start /opt/drift/odd");
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(told(), "program.write-exec  found 'open' by odd \n");
    inside("end-children");
    EXPECT_EQ(told(), "");
}

TEST_F(DriftInsideTest, Row38_AddressesThatAreNotChosenAtRandomAreTold) {
    launch();
    inside("personality 0040000");
    EXPECT_THAT(told(), HasSubstr("personality  found '"));
    inside("personality 0");
    EXPECT_EQ(told(), "");
}

TEST_F(DriftInsideTest, Row46_ClocksOfItsOwnAreTold) {
    launch();
    allow_namespaces();
    inside("nest-clocks 86400");
    EXPECT_THAT(told(), AllOf(HasSubstr("namespaces time found 'one made inside'"),
                              HasSubstr("clocks  found '"), HasSubstr("86400")));
    inside("end-children");
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(told(), "");
}

TEST_F(DriftInsideTest, Row47_ATerminalOfThisMachineIsTold) {
    launch();
    const UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(master);
    ASSERT_EQ(::grantpt(master.get()), 0);
    ASSERT_EQ(::unlockpt(master.get()), 0);
    const UniqueFd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
    ASSERT_TRUE(terminal);
    inside("terminal", terminal.get());
    EXPECT_THAT(told(), HasSubstr("terminal  found 'open' by drifter"));
    inside("end-children");
    EXPECT_EQ(told(), "");
}

TEST_F(DriftInsideTest, Row45_AThreadBehindALeaderThatHasEndedIsJudgedLikeAnyOther) {
    launch();
    inside("start-hidden");
    std::this_thread::sleep_for(50ms);
    EXPECT_THAT(told(), HasSubstr("process.leader-ended"));
    inside("end-children");
    EXPECT_EQ(told(), "");
}

/// What one thread becomes while the other stays: by which rights, how, and what tells it.
struct ThreadDrift {
    const char* name;
    const char* profile;  ///< what it has that minecraft's has not
    const char* make;
    const char* undo;
    std::vector<const char*> findings;
};
void PrintTo(const ThreadDrift& drift, std::ostream* out) { *out << drift.name; }

class DriftOfOneThreadTest : public DriftInsideTest, public testing::WithParamInterface<ThreadDrift> {};

TEST_P(DriftOfOneThreadTest, IsNamedAloneAndGoneWhenUndone) {
    ASSERT_NO_FATAL_FAILURE(launch(GetParam().profile));
    inside(std::string("in-thread ") + GetParam().make);
    const auto text = told();
    for (const auto* finding : GetParam().findings) EXPECT_THAT(text, HasSubstr(finding));
    for (const auto& finding : container_->findings()) {
        ASSERT_EQ(finding.subjects.size(), 1U) << finding.check->id << ": not of the thread that serves";
        EXPECT_NE(finding.subjects.front().tid, finding.subjects.front().pid) << finding.check->id;
    }
    inside(std::string("in-thread ") + GetParam().undo);
    EXPECT_EQ(told(), "");
}

const ThreadDrift kThreadDrifts[] = {
    {"Rows2_6_HasLaidDownARight",
     "[capabilities]\nallow = [\"CAP_NET_BIND_SERVICE\"]\n",
     "lay-down-rights",
     "take-up-rights",
     {"caps.effective CAP_NET_BIND_SERVICE found '' by drifter"}},
    {"Rows2_18_IsAnotherUser",
     "[capabilities]\nallow = [\"CAP_SETUID\"]\n",
     "user 0",
     "user 999",
     {"identity.uid  found '0' by drifter"}},
    {"Rows2_18_IsInAnotherGroup",
     "[capabilities]\nallow = [\"CAP_SETGID\"]\n",
     "group 0",
     "group 999",
     {"identity.gid  found '0' by drifter"}},
    {"Rows2_18_IsInAFurtherGroup",
     "[capabilities]\nallow = [\"CAP_SETGID\"]\n",
     "groups 20",
     "groups",
     {"identity.groups 20 found 'granted' by drifter"}},
    {"Rows2_10_HasLeftTheNetwork",
     "[capabilities]\nallow = [\"CAP_SYS_ADMIN\"]\n",
     "leave-network",
     "join-network",
     {"namespaces network found 'one made inside' by drifter"}},
};
INSTANTIATE_TEST_SUITE_P(Rows, DriftOfOneThreadTest, testing::ValuesIn(kThreadDrifts),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_F(DriftInsideTest, Rows2_11_ADescriptorThatOneThreadAloneHoldsIsNamed) {
    launch();
    const auto folder = sys::open("/root", O_PATH | O_DIRECTORY).value();
    inside("in-thread hold-alone", folder.get());
    EXPECT_THAT(told(), AllOf(HasSubstr("handles.files descriptor"), HasSubstr(" on /root found")));
    const auto all = container_->findings();
    ASSERT_EQ(all.size(), 1U) << told();
    EXPECT_NE(all[0].subjects.at(0).tid, all[0].subjects.at(0).pid);
    inside("in-thread drop");
    EXPECT_EQ(told(), "");
}

TEST_F(DriftInsideTest, ThousandsOfShortLivedProcessesInsideAreNoFinding) {
    launch();
    inside("storm /srv/minecraft/storm");
    const std::string noted = "/var/lib/guard/loose/storm";
    int audits = 0;
    for (const auto end = std::chrono::steady_clock::now() + 30s;
         std::chrono::steady_clock::now() < end && ::access(noted.c_str(), F_OK) != 0; ++audits)
        ASSERT_EQ(told(), "") << "audit " << audits;
    EXPECT_GT(audits, 5);
    ASSERT_EQ(::access(noted.c_str(), F_OK), 0) << "3,000 were not born within 30 s";
    std::this_thread::sleep_for(50ms);
    RecordProperty("born-a-second", sys::read_file(noted).value_or("unknown"));
}

}  // namespace
}  // namespace guard
