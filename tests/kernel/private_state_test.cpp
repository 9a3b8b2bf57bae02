#include "tests/support/private_state.h"

#include <gtest/gtest.h>

#include <algorithm>

#include <filesystem>

#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

namespace guard::support {
namespace {

const PrivateState kState;

TEST(PrivateStateTest, StateFoldersStartEmpty) {
    GUARD_SKIP_UNLESS_PRIVATE();
    for (const auto* folder : {"/run/guard", "/var/lib/guard", "/var/cache/guard", "/var/log/guard"})
        EXPECT_TRUE(std::filesystem::is_empty(folder)) << folder;
}

TEST(PrivateStateTest, NoOtherProcessIsSeen) {
    GUARD_SKIP_UNLESS_PRIVATE();
    EXPECT_LT(::getpid(), 20);
}

TEST(PrivateStateTest, OnlyLoIsThere) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto shown = run_program({"ip", "-o", "link"});
    EXPECT_EQ(shown.status, 0) << shown.err;
    EXPECT_EQ(std::ranges::count(shown.out, '\n'), 1) << shown.out;
    EXPECT_NE(shown.out.find("1: lo:"), std::string::npos) << shown.out;
}

TEST(RunProgramTest, InputOutputAndStatusAreKept) {
    const auto result =
        run_program({"sh", "-c", "cat; echo oops >&2; exit 7"}, {.input = std::string(300'000, 'x')});
    EXPECT_EQ(result.status, 7);
    EXPECT_EQ(result.out.size(), 300'000U);
    EXPECT_EQ(result.err, "oops\n");
}

TEST(RunProgramTest, ASignalIs128AndItsNumber) {
    EXPECT_EQ(run_program({"sh", "-c", "kill -9 $$"}).status, 137);
}

TEST(RunProgramTest, AProgramThatIsNotThereIs127) {
    EXPECT_EQ(run_program({"/no/such/program"}).status, 127);
}

TEST(RunProgramTest, OneThatTakesTooLongIsEnded) {
    const auto result = run_program({"sleep", "30"}, {.timeout = std::chrono::milliseconds(100)});
    EXPECT_TRUE(result.timed_out);
    EXPECT_EQ(result.status, 143);
}

TEST(RunProgramTest, WhatItLeavesRunningIsNotWaitedFor) {
    const auto result = run_program({"sh", "-c", "sleep 3 & echo done"});
    EXPECT_EQ(result.out, "done\n");
    EXPECT_EQ(result.status, 0);
}

TEST(TempDirTest, IsRemovedWithWhatIsInIt) {
    std::string path;
    {
        const TempDir folder;
        path = folder.path();
        folder.write("a/b/c", "text");
        EXPECT_EQ(text_of(path + "/a/b/c"), "text");
    }
    EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace guard::support
