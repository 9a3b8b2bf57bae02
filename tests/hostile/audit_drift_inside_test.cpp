#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>

#include "base/sys.h"
#include "base/task_iterator.h"
#include "tests/support/container.h"
#include "tests/support/drift.h"
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
    /// With the calls that its drifts need; `more` is of the profile's process first.
    void launch(const std::string& more = "") {
        const auto profile = support::write_drift_profile(
            folder_, more +
                         "[seccomp]\nallow = [\"unshare\", \"personality\", \"prctl\", \"capset\", "
                         "\"ioctl\", \"setresuid\", \"setresgid\", \"setgroups\", \"setns\", "
                         "\"setsid\"]\n");
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

TEST_F(DriftInsideTest, Row36_WhoMayBeReadByNeighboursIsTold) {
    launch();
    made(record().launched.posture.undumpable) = Lock::held;
    EXPECT_THAT(told(), HasSubstr("dumpable  found 'open' by drifter"));
    inside("dumpable 0");
    EXPECT_EQ(told(), "") << "its own calls are seen";
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

// Settings of this machine: a file in their place is read like them.
TEST_F(DriftInsideTest, Row53_SettingsOfThisMachineThatMatterToThisContainerAreTold) {
    launch();
    auto& posture = record().launched.posture;
    made(posture.seccomp.access).calls["bpf"] = made(posture.seccomp.access).calls["ptrace"] = {{Cube{}}};
    made(posture.rlimits)["core"].most.reset();
    for (const auto& [file, open, closed, check] :
         {std::tuple{"core_pattern", "|/usr/lib/handler %p", "core", "host.core-dumps  found"},
          std::tuple{"unprivileged_bpf_disabled", "0", "2", "host.bpf  found"}}) {
        const auto over = folder_.write(file, std::string(open) + "\n");
        const auto place = std::string("/proc/sys/kernel/") + file;
        container_->shell("mount --bind " + over + " " + place);
        EXPECT_THAT(told(), HasSubstr(check));
        folder_.write(file, std::string(closed) + "\n");
        EXPECT_THAT(told(), ::testing::Not(HasSubstr(check)));
        container_->shell("umount " + place);
    }
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
