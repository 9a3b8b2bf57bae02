#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// The program as people and scripts meet it: what it prints where, and its exit status.
namespace guard {
namespace {

using support::run_program;
using support::RunResult;
using support::TempDir;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kGuard = GUARD_BINARY_DIR "/cli/guard";

RunResult guard(std::vector<std::string> words) {
    words.insert(words.begin(), kGuard);
    return run_program(words, {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}});
}

RunResult shell(const std::string& script) {
    return run_program({"bash", "-c", script},
                       {.env = {{"GUARD", kGuard}, {"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}});
}

struct WrongUsage {
    const char* name;
    std::vector<std::string> words;
    int status;
    const char* says;
};
void PrintTo(const WrongUsage& wrong, std::ostream* out) { *out << wrong.name; }

class WrongUsageTest : public ::testing::TestWithParam<WrongUsage> {};

TEST_P(WrongUsageTest, IsRefusedInOneSentenceThatNamesItAndSaysWhatToDo) {
    const auto result = guard(GetParam().words);
    EXPECT_EQ(result.status, GetParam().status);
    EXPECT_THAT(result.out, IsEmpty());
    EXPECT_THAT(result.err, HasSubstr(GetParam().says));
    EXPECT_TRUE(result.err.starts_with("guard: cannot ")) << result.err;
    EXPECT_THAT(result.err, HasSubstr("\n  do: "));
}

INSTANTIATE_TEST_SUITE_P(
    Program, WrongUsageTest,
    ::testing::Values(
        WrongUsage{"NoCommand", {}, 2, "no command was given"},
        WrongUsage{"ASlip", {"lits"}, 2, "did you mean guard list?"},
        WrongUsage{"ACommandOfALaterVersion", {"exec", "minecraft", "--", "sh"}, 2, "unknown command"},
        WrongUsage{"AnOptionInFront", {"--frobnicate"}, 2, "unknown option"},
        WrongUsage{"LaunchWithoutProfile", {"launch"}, 125, "no profile was given"},
        WrongUsage{"LaunchWithAnUnknownOption", {"launch", "--detahc"}, 125, "did you mean --detach?"},
        WrongUsage{"LaunchWithAnOperand", {"launch", "minecraft"}, 125, "one word too many"},
        WrongUsage{"LaunchOfNoSuchProfile", {"launch", "--profile", "nosuch"}, 125, "nosuch"},
        WrongUsage{"LaunchWithABadName", {"launch", "--profile", "minecraft", "--name", "../x"}, 125, "../x"},
        WrongUsage{"StatusWithoutName", {"status"}, 2, "guard status NAME"},
        WrongUsage{"StatusOfTwo", {"status", "a", "b"}, 2, "one word too many"},
        WrongUsage{"StopWithABadTimeout", {"stop", "a", "--timeout", "5"}, 2, "is not a duration"},
        WrongUsage{
            "AuditWithABadSeverity", {"audit", "--fail-on", "bad"}, 2, "info|low|medium|high|critical"},
        WrongUsage{"AnOutputWithoutAFile", {"list", "--output", "json"}, 2, "is not FORMAT:FILE"},
        WrongUsage{"AnOutputInNoSuchFormat", {"list", "--output", "sarif:x"}, 2, "is not FORMAT:FILE"},
        WrongUsage{"TwoOutputsIntoOneFile",
                   {"list", "--output", "json:x", "--output", "text:x"},
                   2,
                   "names x twice"},
        WrongUsage{"AuditOnceIntoTheJournal", {"audit", "--output", "journal:/tmp/none"}, 2, "--watch"},
        WrongUsage{"AFormatThatIsNone", {"list", "--format", "yaml"}, 2, "text|json"},
        WrongUsage{"AColourThatIsNone", {"list", "--color", "blue"}, 2, "auto|always|never"},
        WrongUsage{"AValueThatIsMissing", {"audit", "--fail-on"}, 2, "--fail-on"},
        WrongUsage{"CheckOfNothing", {"check"}, 2, "guard check P..."},
        WrongUsage{"ExplainOfNoSuchSection", {"explain", "minecraft", "netwrok"}, 2, "did you mean network?"},
        WrongUsage{"HelpForNoSuchCommand", {"help", "exec"}, 2, "no such command"}),
    [](const auto& test) { return test.param.name; });

TEST(ProgramTest, HelpAndVersionAreResults) {
    EXPECT_THAT(guard({"--help"}).out, HasSubstr("launch"));
    EXPECT_THAT(guard({"launch", "--help"}).out, HasSubstr("--profile P"));
    EXPECT_THAT(guard({"--version"}).out, ::testing::StartsWith("guard "));
    EXPECT_EQ(guard({"launch", "--help"}).status, 0);
}

TEST(ProgramTest, AFullStdoutIsAnErrorAndNotSilence) {
    const auto result = shell("$GUARD help > /dev/full");
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("cannot write the result to stdout: No space left on device"));
}

TEST(ProgramTest, AClosedStdoutIsAnErrorAndNothingElseTakesItsPlace) {
    const auto result = shell("$GUARD explain minecraft >&-");
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("cannot write the result to stdout: Bad file descriptor"));
}

TEST(ProgramTest, ABrokenProfileIsShownByCheckWithEveryPlaceAndStatus2) {
    const TempDir folder;
    const auto file = folder.write(
        "broken.toml", "guard = 1\nextends = [\"base\"]\n[limits]\nmemroy = \"4GiB\"\nswap = \"2G\"\n");
    const auto result = guard({"check", file});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.out,
                HasSubstr("broken.toml:4:1\n  4 | memroy = \"4GiB\"\n    | ^^^^^^ did you mean `memory`?\n"));
    EXPECT_THAT(result.out, HasSubstr("broken.toml:5:8\n"));
    EXPECT_THAT(result.out, HasSubstr("2 errors, nothing was compiled\n"));
}

TEST(ProgramTest, ABrokenProfileIsNotLaunched) {
    const TempDir folder;
    const auto file =
        folder.write("broken.toml", "guard = 1\nextends = [\"base\"]\n[limits]\nmemroy = \"4GiB\"\n");
    const auto result = guard({"launch", "--profile", file, "--", "/bin/true"});
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err, HasSubstr("broken.toml:4:1\n"));
}

TEST(ProgramTest, EveryShippedProfileIsInOrder) {
    const auto result = guard({"check", "base", "runtime-node", "runtime-jvm", "net-server", "minecraft"});
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_THAT(result.out, HasSubstr("minecraft: no findings"));
    EXPECT_THAT(result.out, HasSubstr("\n5 profiles: no findings"));
}

TEST(ProgramTest, CheckTellsARiskWithItsPlaceAndFailsAtAndOverFailOn) {
    const TempDir folder;
    const auto file = folder.write(
        "risky.toml", "guard = 1\nextends = [\"base\"]\n[capabilities]\nallow = [\"CAP_SYS_TIME\"]\n");
    const auto result = guard({"check", file});
    EXPECT_EQ(result.status, 1);
    EXPECT_THAT(result.out, HasSubstr("medium    risky  holds CAP_SYS_TIME"));
    EXPECT_THAT(result.out, HasSubstr("risky.toml:4:10\n"));
    EXPECT_THAT(result.out, HasSubstr("1 finding: 1 medium"));
    const auto higher = guard({"check", file, "--fail-on", "high"});
    EXPECT_EQ(higher.status, 0);
    EXPECT_THAT(higher.out, HasSubstr("no findings, 1 below high"));
}

TEST(ProgramTest, AWaiverExcusesWhatCheckFindsUntilItsDay) {
    const TempDir folder;
    const std::string risky =
        "guard = 1\nextends = [\"base\"]\n[capabilities]\nallow = [\"CAP_SYS_TIME\"]\n[[waiver]]\n"
        "finding = \"caps.sys-time\"\nwhat = \"CAP_SYS_TIME\"\nreason = \"keeps the time\"\nowner = "
        "\"alice\"\n";
    EXPECT_EQ(guard({"check", folder.write("lasting.toml", risky + "expires = \"never\"\n")}).status, 0);
    const auto over = guard({"check", folder.write("over.toml", risky + "expires = 2020-01-01\n")});
    EXPECT_EQ(over.status, 1);
    EXPECT_THAT(over.out, HasSubstr("waiver.expired"));
    EXPECT_THAT(over.out, HasSubstr("ended on 2020-01-01"));
}

TEST(ProgramTest, CheckOfADirectoryChecksAllInIt) {
    const TempDir folder;
    folder.write("a.toml", "guard = 1\n");
    folder.write("b.toml", "guard = 1\n[limits]\nmemory = \"none\"\n");
    folder.write("groups/own.toml", "guard = 1\ndescription = \"own\"\n[syscalls]\nflokc = \"lock\"\n");
    const auto result = guard({"check", folder.path(), "--format", "json"});
    EXPECT_EQ(result.status, 2);
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json["profiles"].size(), 3U);
    EXPECT_EQ(json["profiles"][2]["ok"], false);
    ASSERT_EQ(json["findings"].size(), 1U);
    EXPECT_EQ(json["findings"][0]["id"], "limits.none");
    EXPECT_EQ(json["findings"][0]["where"]["line"], 3);
}

TEST(ProgramTest, CheckOfAnEmptyDirectoryIsAnErrorAndNotSilence) {
    const TempDir folder;
    const auto result = guard({"check", folder.path()});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.out, HasSubstr("it is a directory"));
}

TEST(ProgramTest, SetReplacesAKeyAndSaysWhereItComesFrom) {
    const auto result = guard({"explain", "minecraft", "limits.memory", "--set", "limits.memory=4GiB"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("4 GiB"));
    EXPECT_THAT(result.out, HasSubstr("--set"));
}

TEST(ProgramTest, OutputWritesTheResultIntoAFileAsWell) {
    const TempDir folder;
    const auto result = guard({"explain", "minecraft", "--output", "json:" + (folder / "explained.json")});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("FROM"));
    EXPECT_EQ(nlohmann::json::parse(support::text_of(folder / "explained.json"))["profile"], "minecraft");
}

TEST(ProgramTest, AnOutputThatCannotBeWrittenIsStatus2) {
    const auto result = guard({"explain", "minecraft", "--output", "json:/nonexistent/x"});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("/nonexistent/x"));
    EXPECT_EQ(guard({"explain", "minecraft", "--output", "json:/dev/full"}).status, 2);
}

TEST(ProgramTest, SeveralOutputsAreWrittenAtOnce) {
    const TempDir folder;
    const auto result =
        guard({"audit", "--output", "json:" + (folder / "a"), "--output", "junit:" + (folder / "b"),
               "--output", "sarif:" + (folder / "c"), "--format", "markdown"});
    EXPECT_EQ(nlohmann::json::parse(support::text_of(folder / "a"))["guard"], 1) << result.err;
    EXPECT_THAT(support::text_of(folder / "b"), HasSubstr("<testsuites"));
    EXPECT_EQ(nlohmann::json::parse(support::text_of(folder / "c"))["version"], "2.1.0");
    EXPECT_THAT(result.out, ::testing::StartsWith("<!-- guard audit -->"));
}

TEST(ProgramTest, AnOutputReplacesTheFileInOneStepAndAPipeIsWrittenTo) {
    const TempDir folder;
    const auto file = folder.write("a.json", "old");
    // Whoever has the old file open still reads the old words: it was not written into.
    const auto result = shell("exec 3< " + file + "; $GUARD list --output json:" + file +
                              " > /dev/null; cat <&3; $GUARD audit --output junit:/dev/stderr");
    EXPECT_THAT(result.out, ::testing::StartsWith("old"));
    EXPECT_TRUE(nlohmann::json::accept(support::text_of(file)));
    EXPECT_THAT(result.err, HasSubstr("<testsuites"));
    EXPECT_EQ(shell("ls -A " + folder.path()).out, "a.json\n");
}

TEST(ProgramTest, TheSummaryOfAWorkflowStepIsAppendedAndKeptBelowItsLimit) {
    const TempDir folder;
    const auto file = folder.write("summary", "before\n");
    const auto audit = "GITHUB_STEP_SUMMARY=" + file + " $GUARD audit --format github";
    EXPECT_THAT(shell(audit).out, HasSubstr("guard audit: "));
    EXPECT_THAT(support::text_of(file), ::testing::StartsWith("before\n<!-- guard audit -->\n"));
    static_cast<void>(shell("head -c 1048570 /dev/zero > " + file + "; " + audit));
    EXPECT_LE(support::text_of(file).size(), 1048576U);
}

TEST(ProgramTest, TheSchemasAreJson) {
    EXPECT_NO_THROW(nlohmann::json::parse(guard({"schema"}).out).size());
    EXPECT_NO_THROW(nlohmann::json::parse(guard({"schema", "--group"}).out).size());
}

TEST(ProgramTest, DoctorAnswersForEachThingInOneOfFourWords) {
    const auto result = guard({"doctor", "--format", "json"});
    const auto host = nlohmann::json::parse(result.out)["host"];
    EXPECT_GE(host.size(), 8U);
    bool missing = false;
    for (const auto& row : host) {
        EXPECT_THAT(row["state"].get<std::string>(),
                    ::testing::AnyOf("enforced", "degraded", "missing", "unknown"));
        missing = missing || row["state"] == "missing";
    }
    EXPECT_EQ(result.status, missing ? 1 : 0);
}

TEST(ProgramTest, LifeOfNobodyIsStatus1) {
    for (const auto* command : {"status", "stop", "logs"}) {
        const auto result = guard({command, "nobody-has-this-name"});
        EXPECT_EQ(result.status, 1) << command;
        EXPECT_THAT(result.err, HasSubstr("nobody-has-this-name"));
    }
}

TEST(ProgramTest, AuditOfNobodyIsStatus2) { EXPECT_EQ(guard({"audit", "nobody-has-this-name"}).status, 2); }

TEST(ProgramTest, RefusesToRunSetUserId) {
    if (::geteuid() != 0) GTEST_SKIP() << "making a set-user-id program of another user needs root";
    const TempDir folder;
    const auto script = "cp $GUARD " + (folder / "guard") + " && chmod 4755 " + (folder / "guard") +
                        " && chmod 755 " + folder.path() +
                        " && exec setpriv --reuid 65534 --regid 65534 --clear-groups " + (folder / "guard") +
                        " version";
    const auto result = shell(script);
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err, HasSubstr("set-user-id"));
    EXPECT_THAT(result.out, IsEmpty());
}

}  // namespace
}  // namespace guard
