#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>

#include "tests/support/container.h"
#include "tests/support/drift.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// A label that confines, in a container of the minecraft profile. Its policy is AppArmor's, loaded for each
// test and taken away after it: it grants all, and whoever does not ask for it is not under it.
namespace guard {
namespace {

const support::PrivateState kPrivate;

constexpr const char* kOuter = "guard-test";
constexpr const char* kOther = "guard-test-other";

/// Of both labels, the outer one in this mode. apparmor.d(5)
std::string policy(const char* mode) {
    constexpr const char* kGrants =
        "capability, network, mount, umount, remount, pivot_root, ptrace, signal, file, change_profile,";
    constexpr const char* kFlags = "attach_disconnected, mediate_deleted";
    return fmt::format("profile {} flags=({}, {}) {{ {} }}\nprofile {} flags=({}) {{ {} }}\n", kOuter, kFlags,
                       mode, kGrants, kOther, kFlags, kGrants);
}

class LsmLabelTest : public testing::Test {
protected:
    static support::RunResult parser(const char* does, const std::string& text) {
        return support::run_program({"apparmor_parser", "--skip-cache", does}, {.input = text});
    }
    static void load(const char* mode) {
        const auto result = parser("--replace", policy(mode));
        ASSERT_EQ(result.status, 0) << result.err;
    }
    static void unload() { ASSERT_EQ(parser("--remove", policy("enforce")).status, 0); }

    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (const auto why = support::Container::none_here()) GTEST_SKIP() << *why;
        if (::access("/sys/kernel/security/apparmor/.load", W_OK) != 0)
            GTEST_SKIP() << "this kernel takes no policy of AppArmor; the guest's does";
        if (parser("--version", "").status != 0)
            GTEST_SKIP() << "no apparmor_parser: apt-get install apparmor";
        load("enforce");
        profile_ = support::write_drift_profile(folder_);
    }
    void TearDown() override {
        container_.reset();
        if (!profile_.empty()) static_cast<void>(parser("--remove", policy("enforce")));
    }
    /// By a guard that has this label itself; "unconfined": none.
    void launch(const char* label) {
        container_.reset();
        container_ = std::make_unique<support::Container>(
            "labelled", profile_,
            std::vector<std::string>{"bash", "-c",
                                     "echo exec $0 >/proc/self/attr/apparmor/exec && exec \"$@\"", label});
        ASSERT_EQ(container_->launched().status, 0) << container_->launched().err;
        support::await_drifter(kSocket);
        ASSERT_EQ(told(), "") << "before the drift";
    }
    static void inside(const std::string& command) { support::tell_drifter(kSocket, command); }
    [[nodiscard]] std::string told() const { return container_->told(); }

    static constexpr const char* kSocket = "/var/lib/guard/labelled/drift.sock";
    support::TempDir folder_;
    std::string profile_;
    std::unique_ptr<support::Container> container_;
};

TEST_F(LsmLabelTest, Row44_AThreadThatMovedToAnotherLabelIsNamedAloneUntilItIsBack) {
    launch(kOuter);
    // No more than a further label beside the first one: guard's no_new_privs lets no other move be made.
    inside(fmt::format("in-thread label stack {}", kOther));
    const auto all = container_->findings();
    ASSERT_EQ(all.size(), 1U) << told();
    EXPECT_EQ(all[0].check->id, "lsm.label");
    EXPECT_EQ(all[0].expected, "guard-test (enforce)");
    EXPECT_EQ(all[0].observed, "guard-test//&guard-test-other (enforce)");
    ASSERT_EQ(all[0].subjects.size(), 1U) << "not of the thread that serves";
    EXPECT_NE(all[0].subjects[0].tid, all[0].subjects[0].pid);
    inside(fmt::format("in-thread label changeprofile {}", kOuter));
    EXPECT_EQ(told(), "");
}

TEST_F(LsmLabelTest, Row44_APolicyThatOnlyComplainsIsNamedUntilItHoldsAgain) {
    launch(kOuter);
    load("complain");
    EXPECT_EQ(told(), "lsm.label  found 'guard-test (complain)' by guard-init \n");
    EXPECT_EQ(container_->findings().at(0).subjects.size(), 3U) << "PID 1 and both threads of the server";
    load("enforce");
    EXPECT_EQ(told(), "");
}

TEST_F(LsmLabelTest, Row44_APolicyThatWasTakenAwayIsNamedUntilTheContainerIsLaunchedAnew) {
    launch(kOuter);
    unload();
    EXPECT_EQ(told(), "lsm.label  found 'unconfined' by guard-init \n");
    load("enforce");
    EXPECT_EQ(told(), "lsm.label  found 'unconfined' by guard-init \n") << "it does not come back by itself";
    launch(kOuter);
}

TEST_F(LsmLabelTest, WhereTheLabelOfTheLaunchHeldNothingBackNothingWasPromised) {
    for (const auto* mode : {"unconfined", "complain"}) {
        SCOPED_TRACE(mode);
        load(mode);
        launch(kOuter);
        inside(fmt::format("in-thread label stack {}", kOther));
        EXPECT_EQ(told(), "");
    }
}

TEST_F(LsmLabelTest, WhatWasLaunchedWithoutALabelMayTakeOne) {
    launch("unconfined");
    inside(fmt::format("in-thread label changeprofile {}", kOther));
    EXPECT_EQ(told(), "");
}

}  // namespace
}  // namespace guard
