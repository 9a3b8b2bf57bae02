#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// What is broken is shown with its place and nothing is made, by the program itself: status 2 of check, 125
// of launch.
namespace guard {
namespace {

using support::run_program;
using support::RunResult;
using support::TempDir;
using ::testing::HasSubstr;

const std::string kGuard = GUARD_BINARY_DIR "/cli/guard";
const std::string kFixtures = GUARD_SOURCE_DIR "/tests/fixtures";

RunResult guard(std::vector<std::string> words) {
    words.insert(words.begin(), kGuard);
    constexpr std::chrono::seconds kPatience{20};
    return run_program(words,
                       {.env = {{"GUARD_PROFILE_PATH", kFixtures + "/language"}}, .timeout = kPatience});
}
RunResult check(const std::string& file) { return guard({"check", file}); }
RunResult launch(const std::string& file) { return guard({"launch", "--profile", file, "--", "/bin/true"}); }

std::vector<std::string> broken_profiles() {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(kFixtures + "/broken"))
        if (entry.path().extension() == ".toml") files.push_back(entry.path());
    std::ranges::sort(files);
    return files;
}

// "# expect: 3:10 `2G` is not a size" -> "3:10", for each such line of the file.
std::vector<std::string> places_in(const std::string& file) {
    constexpr std::string_view kWord = "# expect: ";
    std::vector<std::string> places;
    std::ifstream lines(file);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(kWord))
            places.push_back(line.substr(kWord.size(), line.find(' ', kWord.size()) - kWord.size()));
    return places;
}

TEST(BrokenProfilesTest, EachIsStatus2OfCheckAndStatus125OfLaunchWithEveryPlace) {
    const auto files = broken_profiles();
    ASSERT_GE(files.size(), 40U);
    for (const auto& file : files) {
        const auto checked = check(file), launched = launch(file);
        EXPECT_EQ(checked.status, 2) << file << "\n" << checked.err;
        EXPECT_EQ(launched.status, 125) << file << "\n" << launched.err;
        const auto places = places_in(file);
        ASSERT_FALSE(places.empty()) << file;
        for (const auto& place : places) {
            // The file before it may be the one that was extended.
            const auto whole = ".toml:" + place + "\n";
            EXPECT_THAT(checked.out, HasSubstr(whole)) << file;
            EXPECT_THAT(launched.err, HasSubstr(whole)) << file;
        }
    }
}

struct Strange {
    const char* name;
    std::string content;  ///< empty: a FIFO that nobody writes to
    const char* says;
};
std::vector<Strange> strange_files() {
    constexpr std::size_t kMega = 1'000'000;
    return {{"a FIFO", "", "it is a FIFO, not a file"},
            {"a megabyte of brackets", "guard = 1\nx = " + std::string(kMega, '['), ":2:"},
            {"ten megabytes", "guard = 1\n" + std::string(10 * kMega, '#'), "larger than 1 MiB"},
            {"a program",
             std::string("\x7f"
                         "ELF\2\1\1\0\0\0\0\xff",
                         12),
             ":1:"},
            {"a NUL", std::string("guard = 1\nx = \"\0\"\n", 18), ":2:6"},
            {"nothing", "\n", ":1:1"}};
}

TEST(BrokenProfilesTest, WhateverTheFileIsNothingCrashesOrHangs) {
    for (const auto& strange : strange_files()) {
        const TempDir folder;
        const auto file = folder / "strange.toml";
        if (strange.content.empty())
            ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
        else
            folder.write("strange.toml", strange.content);
        const auto began = std::chrono::steady_clock::now();
        const auto checked = check(file), launched = launch(file);
        EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(10)) << strange.name;
        EXPECT_EQ(checked.status, 2) << strange.name << "\n" << checked.err;
        EXPECT_EQ(launched.status, 125) << strange.name << "\n" << launched.err;
        EXPECT_THAT(checked.out + checked.err, HasSubstr(strange.says)) << strange.name;
        EXPECT_THAT(launched.err, HasSubstr(strange.says)) << strange.name;
    }
}

}  // namespace
}  // namespace guard
