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
        std::filesystem::create_directories(folder_ / "bin");
        std::filesystem::copy_file(kDrifter, folder_ / "bin/drifter");
    }
    void launch(const std::string& more = "") {
        const auto profile =
            folder_.write("loose.toml",
                          "guard = 1\nextends = [\"minecraft\"]\n"
                          "[process]\ncommand = [\"/opt/drift/drifter\"]\n"
                          "[seccomp]\nallow = [\"unshare\", \"personality\", \"prctl\", \"capset\", "
                          "\"ioctl\", \"setsid\"]\n"
                          "[filesystem.mounts]\n\"/opt/drift\" = { type = \"bind\", source = \"" +
                              folder_ / "bin" + "\", exec = true }\n" + more);
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

    inline static const std::string kDrifter = std::string(GUARD_BINARY_DIR) + "/tests/support/drifter";
    static constexpr const char* kSocket = "/var/lib/guard/loose/drift.sock";
    support::TempDir folder_;
    std::unique_ptr<support::Container> container_;
};

TEST_F(DriftInsideTest, Rows6_7_8_42_AUserNamespaceInsideGivesEverySetAndOpensItsSecurebits) {
    launch();
    allow_namespaces();
    inside("nest");
    const auto text = told();
    EXPECT_THAT(text, AllOf(HasSubstr("namespaces user found 'one made inside' by drifter"),
                            HasSubstr("caps.effective CAP_SYS_ADMIN found 'held' by drifter"),
                            HasSubstr("caps.permitted CAP_SYS_ADMIN found"),
                            HasSubstr("caps.bounding CAP_SYS_ADMIN found")));
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
    inside("hold", ::dup(terminal.get()));
    inside("drop");
}

TEST_F(DriftInsideTest, Row45_AThreadBehindALeaderThatHasEndedIsJudgedLikeAnyOther) {
    launch();
    inside("start-hidden");
    std::this_thread::sleep_for(50ms);
    EXPECT_THAT(told(), HasSubstr("process.leader-ended"));
    inside("end-children");
    EXPECT_EQ(told(), "");
}

TEST_F(DriftInsideTest, Rows2_6_OneThreadThatHoldsMoreThanTheOthersIsNamedAlone) {
    launch("[capabilities]\nallow = [\"CAP_NET_BIND_SERVICE\"]\n");
    inside("drop-but-in-one-thread");
    auto& caps = record().launched.posture.caps;
    const auto none = nothing_granted().caps;
    caps.effective = none.effective;
    caps.permitted = none.permitted;
    caps.inheritable = none.inheritable;
    caps.ambient = none.ambient;
    const auto all = container_->findings();
    const auto held = std::ranges::find_if(all, [](const Finding& finding) {
        return finding.check->id == "caps.effective" && finding.item == "CAP_NET_BIND_SERVICE";
    });
    ASSERT_NE(held, all.end()) << told();
    ASSERT_EQ(held->subjects.size(), 1U) << "not of the thread that serves";
    EXPECT_NE(held->subjects.front().tid, held->subjects.front().pid);
    EXPECT_EQ(held->severity, Severity::critical);
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
