#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/help.h"
#include "policies/reference.h"
#include "report/findings.h"
#include "report/layout.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

namespace guard::cli {
namespace {

using ::testing::HasSubstr;

std::string without_backslashes(std::string text) {
    std::erase(text, '\\');
    return text;
}

// Every command and option of the table stands in `text`; `dashes` is how it writes an option.
void expect_all_in(const std::string& text, std::string_view dashes) {
    for (const auto& command : commands()) {
        EXPECT_THAT(text, HasSubstr(std::string(command.name)));
        for (const auto& option : options_of(command))
            EXPECT_THAT(text, HasSubstr(std::string(dashes) + std::string(option.name))) << command.name;
    }
}

TEST(CommandTableTest, NamesAreUnique) {
    std::set<std::string_view> names;
    for (const auto& command : commands()) {
        EXPECT_TRUE(names.insert(command.name).second) << command.name;
        std::set<std::string_view> options;
        for (const auto& option : options_of(command))
            EXPECT_TRUE(options.insert(option.name).second) << command.name << " --" << option.name;
    }
}

TEST(CommandTableTest, TheSynopsisNamesOnlyOptionsThatExist) {
    for (const auto& command : commands()) {
        const std::string synopsis(command.synopsis);
        for (auto at = synopsis.find("--"); at != std::string::npos; at = synopsis.find("--", at + 2)) {
            const auto name = synopsis.substr(at + 2, synopsis.find_first_of(" ]", at) - at - 2);
            if (name.empty()) continue;  // the "--" before a command line
            const auto options = options_of(command);
            EXPECT_NE(std::ranges::find(options, name, &Option::name), options.end())
                << command.name << " --" << name;
        }
    }
}

TEST(CommandTableTest, AuditHasEveryFormatOfFindings) {
    const auto* const audit = find_command("audit");
    const auto format = std::ranges::find(audit->options, "format", &Option::name);
    std::string all = "text";
    for (const auto& row : report::finding_formats()) all += "|" + std::string(row.name);
    EXPECT_EQ(format->choices, all + "|journal");  // with --watch
}

TEST(CommandTableTest, OnlyLaunchAnswersWrongUsageWith125) {
    for (const auto& command : commands())
        EXPECT_EQ(command.usage_status, command.name == "launch" ? kNotLaunched : kUsage) << command.name;
}

TEST(CommandTableTest, TheManPageHasEveryCommandAndOption) {
    expect_all_in(without_backslashes(man_page()), "--");
}
TEST(CommandTableTest, BashCompletesEveryCommandAndOption) { expect_all_in(bash_completions(), "--"); }
TEST(CommandTableTest, ZshCompletesEveryCommandAndOption) { expect_all_in(zsh_completions(), "--"); }
TEST(CommandTableTest, FishCompletesEveryCommandAndOption) { expect_all_in(fish_completions(), "-l "); }

TEST(CommandTableTest, HelpHasEveryCommandAndFitsThePage) {
    auto text = help_text();
    for (const auto& command : commands()) {
        EXPECT_THAT(text, HasSubstr("\n  " + std::string(command.name) + " "));
        text += help_text(command);
    }
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
        EXPECT_LE(report::width_of(text.substr(begin, text.find('\n', begin) - begin)), report::kPageWidth);
}

TEST(CommandTableTest, ThePageOfCommandsIsTheTable) {
    EXPECT_EQ(support::text_of(GUARD_SOURCE_DIR "/docs/commands.md"), command_reference())
        << "make it anew: guard help --as markdown > docs/commands.md";
}

TEST(CommandTableTest, ThePageOfKeysIsTheKeyTable) {
    EXPECT_EQ(support::text_of(GUARD_SOURCE_DIR "/docs/profile-keys.md"), reference_page())
        << "make it anew: guard help --as profile > docs/profile-keys.md";
}

TEST(CommandTableTest, ThePageOfChecksIsTheTables) {
    EXPECT_EQ(support::text_of(GUARD_SOURCE_DIR "/docs/checks.md"), check_reference())
        << "make it anew: guard help --as checks > docs/checks.md";
}

TEST(CommandTableTest, BashReadsTheCompletionsMadeForIt) {
    const support::TempDir folder;
    const auto file = folder.write("guard.bash", bash_completions());
    const auto completed = support::run_program(
        {"bash", "-c",
         "source '" + file +
             "'; COMP_WORDS=(guard audit --fail-on h); COMP_CWORD=3; _guard; echo ${COMPREPLY[@]}; "
             "COMP_WORDS=(guard la); COMP_CWORD=1; _guard; echo ${COMPREPLY[@]}"});
    EXPECT_EQ(completed.status, 0) << completed.err;
    EXPECT_EQ(completed.out, "high\nlaunch\n");
}

}  // namespace
}  // namespace guard::cli
