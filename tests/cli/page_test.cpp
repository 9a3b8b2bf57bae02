#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/split.h"
#include "cli/commands.h"
#include "report/layout.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// What every text of the program has in common: it fits the page, and has colours only where somebody sees
// them.
namespace guard::cli {
namespace {

using support::run_program;
using support::RunResult;
using support::TempDir;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kGuard = GUARD_BINARY_DIR "/cli/guard";

std::map<std::string, std::string> environment(const std::string& no_color = "") {
    return {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}, {"NO_COLOR", no_color}};
}

RunResult guard(std::vector<std::string> words) {
    words.insert(words.begin(), kGuard);
    return run_program(words, {.env = environment()});
}

// On a terminal of its own: script(1) makes one.
std::string on_a_terminal(const std::string& words, const std::string& no_color = "") {
    return run_program({"script", "--quiet", "--return", "--command", kGuard + " " + words, "/dev/null"},
                       {.env = environment(no_color)})
        .out;
}

// A line may be longer than the page only for one word that can't be broken: a path, a line of a file shown
// as it is.
bool fits(std::string_view line) {
    if (report::width_of(line) <= report::kPageWidth) return true;
    const auto begin = line.find_first_not_of(' ');
    return line.find(' ', begin) == std::string_view::npos;
}

void expect_fits(const std::string& text, const std::string& what) {
    for (const auto line : split(text, '\n')) EXPECT_TRUE(fits(line)) << what << ": " << line;
}

std::vector<std::string> toml_files(const std::string& folder) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(GUARD_SOURCE_DIR + folder))
        if (entry.path().extension() == ".toml") files.push_back(entry.path().string());
    return files;
}

TEST(PageTest, HelpOfEveryCommandFits) {
    for (const auto& command : commands())
        expect_fits(guard({std::string(command.name), "--help"}).out, std::string(command.name));
}

TEST(PageTest, EveryProfileInOrderAndBrokenFitsWhenChecked) {
    for (const auto* folder : {"/profiles", "/profiles/groups", "/tests/fixtures/broken"})
        for (const auto& file : toml_files(folder)) {
            const auto result = guard({"check", file});
            expect_fits(result.out + result.err, "check " + file);
        }
}

TEST(PageTest, EveryProfileFitsWhenExplained) {
    for (const auto& file : toml_files("/profiles"))
        expect_fits(guard({"explain", file, "--verbose"}).out, "explain " + file);
}

TEST(PageTest, WhatTheMachineIsAskedFits) {
    for (const auto* command : {"doctor", "list", "audit"}) {
        const auto result = guard({command, "--verbose"});
        expect_fits(result.out + result.err, command);
    }
}

TEST(PageTest, AComplaintFits) {
    const std::string name(40, 'n');
    for (const auto& words :
         std::vector<std::vector<std::string>>{{"status", name},
                                               {"audit", name},
                                               {"launch", "--profile", name},
                                               {"check", name},
                                               {"explain", "minecraft", name},
                                               {"list", "--output", "json:/nonexistent/" + name}}) {
        const auto result = guard(words);
        EXPECT_NE(result.status, 0) << words.front();
        expect_fits(result.out + result.err, words.front());
    }
}

class ColourTest : public ::testing::Test {
protected:
    TempDir folder_;
    std::string broken_ = "check " + folder_.write("broken.toml", "guard = 1\nmemroy = 1\n");
};

TEST_F(ColourTest, ATerminalGetsThem) {
    EXPECT_THAT(on_a_terminal(broken_), HasSubstr("\x1b[31merror\x1b[0m"));
}

TEST_F(ColourTest, NoColorIsObeyedUnlessItIsEmpty) {
    EXPECT_THAT(on_a_terminal(broken_, "1"), Not(HasSubstr("\x1b")));
    EXPECT_THAT(on_a_terminal(broken_, ""), HasSubstr("\x1b"));
}

TEST_F(ColourTest, WhatIsAskedForWinsOverBoth) {
    EXPECT_THAT(on_a_terminal(broken_ + " --color always", "1"), HasSubstr("\x1b"));
    EXPECT_THAT(on_a_terminal(broken_ + " --color never"), Not(HasSubstr("\x1b")));
    EXPECT_THAT(guard({"check", folder_ / "broken.toml", "--color", "always"}).out, HasSubstr("\x1b"));
}

TEST_F(ColourTest, APipeAndAFileGetNone) {
    EXPECT_THAT(guard({"check", folder_ / "broken.toml"}).out, Not(HasSubstr("\x1b")));
    EXPECT_THAT(on_a_terminal(broken_ + " --output text:" + (folder_ / "report")), HasSubstr("\x1b"));
    EXPECT_THAT(support::text_of(folder_ / "report"), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace guard::cli
