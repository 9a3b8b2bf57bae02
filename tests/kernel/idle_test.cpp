#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "base/split.h"
#include "launcher/state.h"
#include "tests/support/private_state.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// What a container costs while nothing happens: the memory of its supervisor and its PID 1, and how often
// they wake up.
namespace guard {
namespace {

using namespace std::chrono_literals;

const support::PrivateState kPrivate;
const std::string kGuard = GUARD_BINARY_DIR "/cli/guard";

std::uint64_t number_behind(const std::string& file, std::string_view word) {
    const auto text = support::text_of(file);
    for (const auto line : lines_of(text)) {
        const auto words = words_of(line);
        if (words.size() > 1 && words[0] == word) return number_of<std::uint64_t>(words[1]).value_or(0);
    }
    ADD_FAILURE() << word << " is not in " << file;
    return 0;
}

TEST(IdleTest, WhatStaysIsSmallAndSleeps) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto launched = support::run_program(
        {kGuard, "launch", "--profile", "base", "--name", "idle", "--detach", "--", "/bin/sleep", "100"},
        {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}});
    ASSERT_EQ(launched.status, 0) << launched.err;
    const auto record = launcher::load_record("idle");
    ASSERT_TRUE(record) << describe(record.error());
    std::this_thread::sleep_for(1300ms);
    std::uint64_t kib = 0, switches = 0;
    const auto look = [&] {
        kib = switches = 0;
        for (const auto& task : {record->bindings.supervisor, record->bindings.init}) {
            const auto folder = "/proc/" + std::to_string(task.pid);
            kib += number_behind(folder + "/smaps_rollup", "Pss_Anon:");
            switches += number_behind(folder + "/status", "voluntary_ctxt_switches:");
        }
    };
    look();
    constexpr std::uint64_t kMost = 1536;
    EXPECT_LE(kib, kMost) << "KiB of their own; pages of the program are the file's";
    const auto before = switches;
    std::this_thread::sleep_for(700ms);
    look();
    EXPECT_EQ(switches, before);
    EXPECT_EQ(support::run_program({kGuard, "stop", "idle"}).status, 0);
}

}  // namespace
}  // namespace guard
