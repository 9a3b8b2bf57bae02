#include "report/findings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/split.h"
#include "report/finding_words.h"
#include "report/layout.h"
#include "report/verdict.h"

namespace guard::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Subject task(pid_t pid, pid_t tid, std::string command) {
    return {"minecraft", pid, tid, 7, std::move(command), "/usr/lib/jvm/bin/java"};
}

Finding held(std::string item) {
    Finding finding;
    finding.check = &check_of("caps.effective");
    finding.item = std::move(item);
    finding.severity = Severity::critical;
    finding.verdict = Verdict::weaker;
    finding.observed = "held";
    finding.where = {"/etc/guard/profiles/minecraft.toml", 3, 1};
    finding.subjects = {task(4711, 4733, "pool-2")};
    return finding;
}

Finding limit() {
    Finding finding;
    finding.check = &check_of("limits");
    finding.item = "memory";
    finding.severity = Severity::medium;
    finding.verdict = Verdict::weaker;
    finding.expected = "2 GiB";
    finding.observed = "6 GiB";
    finding.where = {"/etc/guard/profiles/minecraft.toml", 31, 10};
    finding.subjects = {{.unit = "minecraft", .pid = 4711, .tid = 4711, .exe = "/usr/bin/java"}};
    return finding;
}

Finding unread() {
    Finding finding;
    finding.check = &check_of("seccomp.access");
    finding.severity = Severity::high;
    finding.verdict = Verdict::unknown;
    finding.reason = "read the filter: Operation not permitted";
    finding.subjects = {{.unit = "minecraft"}};
    return finding;
}

Finding excused() {
    auto finding = limit();
    finding.waiver = Waiver{"limits", "memory", "needs it", "alice", std::chrono::year(2027) / 6 / 30, {}};
    return finding;
}

Findings of(std::vector<Finding> list) {
    Findings all;
    all.examined = {{"minecraft", 39, 54}, {"portfolio", 3, 54}};
    all.findings = std::move(list);
    return all;
}

TEST(FindingsTextTest, AllWellIsOneLineAContainer) {
    EXPECT_EQ(findings_text(of({}), Colour::off),
              "minecraft   as declared   39 tasks, 54 checks\n"
              "portfolio   as declared    3 tasks, 54 checks\n");
}

TEST(FindingsTextTest, RightsOfOneTaskAreOneEntryWithItsPlaceAndWhatToDo) {
    const auto text = findings_text(of({held("CAP_NET_ADMIN"), held("CAP_SYS_ADMIN")}), Colour::off);
    EXPECT_EQ(
        text,
        "critical  minecraft  a task can do more than the profile gives                        "
        "caps.effective\n"
        "          found     thread 4733 \"pool-2\" of java (process 4711): CAP_NET_ADMIN, CAP_SYS_ADMIN\n"
        "          expected  none                                                          "
        "minecraft.toml:3:1\n"
        "          why       one thread with the right is enough, also where all others look clean\n"
        "          do        stop it, and look at its log and at new files in its data directory before you\n"
        "                    start it again\n"
        "portfolio   as declared    3 tasks, 54 checks\n"
        "1 finding in 1 of 2 containers: 1 critical\n");
}

TEST(FindingsTextTest, TheSumCountsEachSeverity) {
    EXPECT_THAT(findings_text(of({held("CAP_KILL"), limit(), unread(), excused()}), Colour::off),
                HasSubstr("\n2 findings in 1 of 2 containers: 1 critical, 1 medium, 1 unknown, 1 waived\n"));
}

TEST(FindingsTextTest, AnUnknownIsNeverCalledAsDeclaredAndSaysWhy) {
    auto all = of({unread()});
    all.as_root = false;
    const auto text = findings_text(all, Colour::off);
    EXPECT_THAT(text, HasSubstr("unknown   minecraft  "));
    EXPECT_THAT(text, HasSubstr("          why       read the filter: Operation not permitted\n"));
    EXPECT_THAT(text, HasSubstr("          do        sudo guard audit minecraft\n"));
    EXPECT_THAT(text, Not(HasSubstr("minecraft   as declared")));
}

TEST(FindingsTextTest, AWaivedFindingSaysWhoExcusesItAndUntilWhen) {
    const auto text = findings_text(of({excused()}), Colour::off);
    EXPECT_THAT(text, HasSubstr("waived    minecraft  "));
    EXPECT_THAT(text, HasSubstr("by alice until 2027-06-30: needs it"));
    EXPECT_THAT(text, HasSubstr("minecraft   as declared"));
}

TEST(FindingsTextTest, NoLineIsLongerThanThePage) {
    auto finding = held("CAP_NET_ADMIN");
    finding.item = std::string(40, 'x') + " " + std::string(60, 'y');
    for (int i = 0; i < 40; ++i) finding.subjects.push_back(task(5000 + i, 5000 + i, "w"));
    const auto text = findings_text(of({finding, limit()}), Colour::off);
    for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
        EXPECT_LE(width_of(text.substr(begin, text.find('\n', begin) - begin)), kPageWidth);
}

TEST(FindingsTextTest, ANameChosenInsideCannotDriveTheTerminal) {
    auto finding = held("CAP_KILL");
    finding.subjects = {task(1, 2, "\x1b[2Jok\n")};
    const auto text = findings_text(of({finding}), Colour::off);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_THAT(text, HasSubstr("\\x1b[2Jok\\x0a"));
}

TEST(FindingsTextTest, ColourIsOnTheSeverityOnly) {
    EXPECT_THAT(findings_text(of({held("CAP_KILL")}), Colour::on),
                HasSubstr("\x1b[1;31mcritical\x1b[0m  minecraft"));
}

TEST(FindingsJsonTest, EveryPartOfAFindingIsThere) {
    const auto json = nlohmann::json::parse(findings_json(of({limit(), excused()})));
    EXPECT_EQ(json["guard"], 1);
    EXPECT_EQ(json["examined"][0]["tasks"], 39);
    const auto& finding = json["findings"][0];
    EXPECT_EQ(finding["id"], "limits");
    EXPECT_EQ(finding["item"], "memory");
    EXPECT_EQ(finding["severity"], "medium");
    EXPECT_EQ(finding["verdict"], "weaker");
    EXPECT_EQ(finding["expected"], "2 GiB");
    EXPECT_EQ(finding["observed"], "6 GiB");
    EXPECT_EQ(finding["where"]["line"], 31);
    EXPECT_EQ(finding["subjects"][0]["pid"], 4711);
    EXPECT_TRUE(finding["waiver"].is_null());
    EXPECT_EQ(json["findings"][1]["waiver"]["expires"], "2027-06-30");
    EXPECT_EQ(json["sum"]["medium"], 1);
    EXPECT_EQ(json["sum"]["waived"], 1);
}

TEST(FindingsJsonTest, BytesThatAreNoTextDoNotBreakIt) {
    auto finding = held("CAP_KILL");
    finding.subjects = {task(1, 2, "\xff\xfe")};
    EXPECT_TRUE(nlohmann::json::accept(findings_json(of({finding}))));
}

TEST(FingerprintTest, ALineThatMovesOrANewPidIsTheSameFinding) {
    auto moved = limit();
    moved.where.line = 99;
    moved.subjects.front().pid = 1;
    moved.observed = "8 GiB";
    EXPECT_EQ(fingerprint(limit()), fingerprint(moved));
}

TEST(FingerprintTest, AnotherItemIsAnotherFinding) {
    EXPECT_NE(fingerprint(held("CAP_KILL")), fingerprint(held("CAP_CHOWN")));
}

Findings in_tree(std::vector<Finding> list) {
    auto all = of(std::move(list));
    all.tree = {"/etc/guard", "/etc/guard"};
    return all;
}

nlohmann::json sarif_run(const Findings& findings) {
    return nlohmann::json::parse(findings_sarif(findings))["runs"][0];
}

std::vector<std::string> rule_ids(const nlohmann::json& run) {
    std::vector<std::string> ids;
    for (const auto& rule : run["tool"]["driver"]["rules"]) ids.push_back(rule["id"]);
    return ids;
}

TEST(FindingsSarifTest, EachRuleHasTheTextsAndTheScoreThatCodeScanningAsksFor) {
    const auto run = sarif_run(of({held("CAP_KILL"), limit()}));
    EXPECT_THAT(rule_ids(run), ::testing::ElementsAre("caps.effective", "limits"));
    for (const auto& rule : run["tool"]["driver"]["rules"])
        for (const auto* member : {"shortDescription", "fullDescription", "help"})
            EXPECT_FALSE(rule[member]["text"].get<std::string>().empty());
    EXPECT_EQ(run["tool"]["driver"]["rules"][0]["properties"]["security-severity"], "9.5");
    EXPECT_EQ(run["tool"]["driver"]["rules"][1]["properties"]["security-severity"], "5.5");
}

TEST(FindingsSarifTest, AFindingOfAnotherWeightThanItsCheckHasARuleOfThatWeight) {
    auto light = limit();
    light.severity = Severity::low;
    const auto run = sarif_run(of({limit(), light, unread()}));
    EXPECT_THAT(rule_ids(run), ::testing::ElementsAre("limits", "limits/low", "seccomp.access/unknown"));
    EXPECT_EQ(run["tool"]["driver"]["rules"][1]["properties"]["security-severity"], "2.0");
    EXPECT_FALSE(run["tool"]["driver"]["rules"][2]["properties"].contains("security-severity"));
}

TEST(FindingsSarifTest, APlaceIsRelativeToTheWorkTree) {
    const auto run = sarif_run(in_tree({limit()}));
    const auto& place = run["results"][0]["locations"][0]["physicalLocation"];
    EXPECT_EQ(place["artifactLocation"]["uri"], "profiles/minecraft.toml");
    EXPECT_EQ(place["artifactLocation"]["uriBaseId"], "%SRCROOT%");
    EXPECT_EQ(place["region"]["startLine"], 31);
    EXPECT_EQ(place["region"]["endColumn"], 11);
}

TEST(FindingsSarifTest, WaivedIsSuppressedAndLeftOutForCodeScanningThatWouldShowItAsOpen) {
    auto all = of({limit(), excused()});
    EXPECT_TRUE(sarif_run(all)["results"][1].contains("suppressions"));
    all.sarif_reader = SarifReader::code_scanning;
    EXPECT_EQ(sarif_run(all)["results"].size(), 1U);
}

TEST(FindingsSarifTest, WhatCodeScanningWouldDropIsLeftOutWithItsNumber) {
    std::vector<Finding> many;
    for (int i = 0; i < 5003; ++i) many.push_back(held("CAP_" + std::to_string(i)));
    auto all = of(std::move(many));
    EXPECT_EQ(sarif_run(all)["results"].size(), 5003U);
    EXPECT_FALSE(sarif_run(all)["invocations"][0].contains("toolExecutionNotifications"));
    all.sarif_reader = SarifReader::code_scanning;
    const auto run = sarif_run(all);
    EXPECT_EQ(run["results"].size(), 5000U);
    EXPECT_EQ(run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
              "3 findings of lesser weight left out: code scanning keeps 5000");
}

TEST(FindingsSarifTest, CodeScanningRefusesAResultWithoutAFileSoOneIsNamed) {
    auto all = of({unread()});
    EXPECT_FALSE(sarif_run(all)["results"][0]["locations"][0].contains("physicalLocation"));
    all.sarif_reader = SarifReader::code_scanning;
    EXPECT_TRUE(sarif_run(all)["results"][0]["locations"][0].contains("physicalLocation"));
    all.examined.front().file = "/etc/guard/profiles/minecraft.toml";
    all.tree = {"/etc/guard", "/etc/guard"};
    EXPECT_EQ(sarif_run(all)["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
              "profiles/minecraft.toml");
}

TEST(FingerprintTest, FindingsOfOneMeaningAreToldApart) {
    auto larger = limit();
    larger.observed = "8 GiB";
    const auto prints = fingerprints(std::vector{limit(), larger, held("CAP_KILL")});
    EXPECT_EQ(prints[1], prints[0] + "-2");
    EXPECT_EQ(prints[2], fingerprint(held("CAP_KILL")));
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++count;
    return count;
}

TEST(SentenceTest, ATitleThatSaysTheChangeIsNotFollowedByItAgain) {
    auto change = limit();
    EXPECT_THAT(sentence_of(change), HasSubstr("found memory: 6 GiB, expected 2 GiB"));
    change.title = "memory limit 2 GiB -> 6 GiB";
    EXPECT_EQ(sentence_of(change), "memory limit 2 GiB -> 6 GiB");
    change.title = "newly allows io_uring_setup";
    change.notes.means = "refused (EPERM) -> allowed, with any arguments";
    change.notes.witness = "io_uring_setup(0, 0)";
    EXPECT_EQ(sentence_of(change),
              "newly allows io_uring_setup: refused (EPERM) -> allowed, with any arguments"
              " (shown by io_uring_setup(0, 0))");
}

TEST(FindingsGithubTest, AnAnnotationNamesFileLineAndWeight) {
    EXPECT_THAT(findings_github(in_tree({limit()})),
                ::testing::StartsWith("::warning file=profiles/minecraft.toml,line=31,col=10,"
                                      "title=medium%3A minecraft (limits)::a limit is not the one declared: "
                                      "found memory: 6 GiB, expected 2 GiB%0Awhy: "));
}

TEST(FindingsGithubTest, TheWorstComesFirstAndTheKindFollowsTheWeight) {
    const auto text = findings_github(of({excused(), unread(), held("CAP_KILL")}));
    EXPECT_LT(text.find("::error "), text.find("::warning "));
    EXPECT_LT(text.find("::warning "), text.find("::notice "));
    EXPECT_THAT(text, HasSubstr("waived by alice until 2027-06-30: needs it"));
    EXPECT_THAT(text, ::testing::EndsWith("guard audit: 1 critical, 1 unknown, 1 waived\n"));
}

TEST(FindingsGithubTest, MoreThanIsShownStandsInTheLogWithItsNumber) {
    std::vector<Finding> many;
    for (int i = 0; i < 13; ++i) many.push_back(held("CAP_" + std::to_string(i)));
    const auto text = findings_github(in_tree(many));
    EXPECT_EQ(count_of(text, "::error "), 10U);
    EXPECT_EQ(count_of(text, "\ncritical  minecraft  "), 3U);
    EXPECT_THAT(text, HasSubstr("; 3 only in this log and the summary: 10 of a kind"));
}

TEST(FindingsGithubTest, ANameChosenInsideCannotWriteACommandOfItsOwn) {
    auto finding = limit();
    finding.item = "a\n::error::b";
    finding.subjects.front().unit = "x,line=1::y%0A";
    finding.where.file = "a,b:c%.toml";
    const auto text = findings_github(of(std::vector(12, finding)));
    for (const auto line : split(text, '\n')) {
        EXPECT_TRUE(line.starts_with("::warning file=a%2Cb%3Ac%25.toml,line=31,") || !line.starts_with("::"))
            << line;
        EXPECT_FALSE(line.starts_with("::error"));
    }
}

TEST(FindingsGitlabTest, HasWhatCodeQualityAsksForAndUniqueFingerprints) {
    auto larger = limit();
    larger.observed = "8 GiB";
    const auto issues = nlohmann::json::parse(findings_gitlab(in_tree({limit(), larger, excused()})));
    EXPECT_EQ(issues[0]["check_name"], "limits");
    EXPECT_EQ(issues[0]["severity"], "major");
    EXPECT_EQ(issues[0]["location"]["path"], "profiles/minecraft.toml");
    EXPECT_EQ(issues[0]["location"]["lines"]["begin"], 31);
    EXPECT_EQ(issues[2]["severity"], "info");
    std::set<std::string> prints;
    for (const auto& issue : issues) prints.insert(issue["fingerprint"].get<std::string>());
    EXPECT_EQ(prints.size(), 3U);
}

TEST(FindingsGitlabTest, AFileOutsideTheTreeHasNoLeadingSlash) {
    auto all = of({limit()});
    all.tree = {"/work", "/work"};
    EXPECT_EQ(nlohmann::json::parse(findings_gitlab(all))[0]["location"]["path"],
              "etc/guard/profiles/minecraft.toml");
}

TEST(FindingsMarkdownTest, IsOneTableWithAMarkerToFindItAgain) {
    const auto text = findings_markdown(of({held("CAP_KILL"), limit()}));
    EXPECT_TRUE(
        text.starts_with("<!-- guard audit -->\n### guard: 1 critical, 1 medium, 2 containers looked at\n"));
    EXPECT_THAT(text, HasSubstr("| **critical** | minecraft | a task can do more than the profile gives "
                                "(`caps.effective`) | CAP\\_KILL | none | minecraft.toml:3:1 |\n"));
}

TEST(FindingsMarkdownTest, ANameCannotEndItsCellOrStartMarkup) {
    auto finding = held("a|b<img>");
    EXPECT_THAT(findings_markdown(of({finding})), HasSubstr("a\\|b\\<img\\>"));
}

TEST(FindingsJunitTest, ThereIsOneCaseACheckAndContainer) {
    auto all = of({held("CAP_KILL"), held("CAP_CHOWN")});
    all.asked = {"caps.effective", "limits"};
    const auto text = findings_junit(all);
    EXPECT_THAT(
        text,
        HasSubstr("<testsuite name=\"minecraft\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""));
    EXPECT_THAT(text, HasSubstr("<testcase classname=\"minecraft\" name=\"limits\" time=\"0\"></testcase>"));
    EXPECT_THAT(
        text, HasSubstr("<testcase classname=\"portfolio\" name=\"caps.effective\" time=\"0\"></testcase>"));
    EXPECT_THAT(text, HasSubstr("found CAP_KILL"));
    EXPECT_THAT(text, HasSubstr("found CAP_CHOWN"));
}

TEST(FindingsJunitTest, FoundFailsUnknownIsAnErrorWaivedIsSkipped) {
    const auto text = findings_junit(of({held("CAP_KILL"), unread(), excused()}));
    EXPECT_THAT(
        text,
        HasSubstr("<testsuite name=\"minecraft\" tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"1\""));
    EXPECT_THAT(text, HasSubstr("<testcase classname=\"portfolio\" name=\"as declared\""));
}

TEST(FindingsJunitTest, WhatIsBelowFailOnPassesAndIsStillSaid) {
    auto all = of({limit()});
    all.bar.fail_on = Severity::high;
    const auto text = findings_junit(all);
    EXPECT_THAT(text, HasSubstr("failures=\"0\""));
    EXPECT_THAT(text, HasSubstr("<system-out>medium: a limit is not the one declared"));
}

TEST(FindingsJunitTest, AWaivedFindingBesideOneThatCountsIsNotLost) {
    const auto text = findings_junit(of({limit(), excused()}));
    EXPECT_THAT(text, HasSubstr("failures=\"1\" errors=\"0\" skipped=\"0\""));
    EXPECT_THAT(text, HasSubstr("waived by alice"));
}

TEST(FindingsJunitTest, AnAcceptedUnknownIsSkipped) {
    auto all = of({unread()});
    all.bar.unknowns = Unknowns::accept;
    EXPECT_THAT(findings_junit(all), HasSubstr("errors=\"0\" skipped=\"1\""));
}

TEST(FindingsJunitTest, AFindingOfManyProfilesStandsWithEach) {
    auto shared = limit();
    shared.subjects.push_back({.unit = "portfolio"});
    const auto text = findings_junit(of({shared}));
    EXPECT_THAT(text, HasSubstr("<testcase classname=\"minecraft\" name=\"limits\""));
    EXPECT_THAT(text, HasSubstr("<testcase classname=\"portfolio\" name=\"limits\""));
}

TEST(FindingsPrometheusTest, ZerosAreThereToo) {
    const auto text = findings_prometheus(of({held("CAP_KILL")}));
    EXPECT_THAT(text, HasSubstr("guard_findings{container=\"minecraft\",severity=\"critical\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("guard_findings{container=\"portfolio\",severity=\"critical\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("guard_tasks{container=\"portfolio\"} 3\n"));
}

TEST(FindingsFormatsTest, NoFormatLosesAFindingThatAnotherShows) {
    const auto all = of({held("CAP_KILL"), held("CAP_CHOWN"), limit(), unread()});
    for (const auto& format : finding_formats()) {
        if (format.name == "prometheus") continue;  // counts only
        const auto text = format.write(all);
        for (const auto* id : {"caps.effective", "limits", "seccomp.access"})
            EXPECT_THAT(text, HasSubstr(id)) << format.name;
        EXPECT_THAT(text, ::testing::ContainsRegex("CAP.*CHOWN")) << format.name;
    }
}

TEST(VerdictTest, FindingsBeatUnknownAndUnknownBeatsClean) {
    const auto outcome = [](std::vector<Finding> list) {
        return outcome_of(counts_of(list), Severity::medium, Unknowns::count);
    };
    EXPECT_EQ(outcome({}), Outcome::clean);
    EXPECT_EQ(outcome({unread()}), Outcome::incomplete);
    EXPECT_EQ(outcome({unread(), limit()}), Outcome::found);
}

TEST(VerdictTest, BelowFailOnIsClean) {
    EXPECT_EQ(outcome_of(counts_of(std::vector{limit()}), Severity::high, Unknowns::count), Outcome::clean);
    EXPECT_EQ(outcome_of(counts_of(std::vector{limit()}), Severity::medium, Unknowns::count), Outcome::found);
}

TEST(VerdictTest, WaivedCountsForNothingAndUnknownNeverForFailOn) {
    EXPECT_EQ(outcome_of(counts_of(std::vector{excused()}), Severity::info, Unknowns::count), Outcome::clean);
    EXPECT_EQ(outcome_of(counts_of(std::vector{unread()}), Severity::info, Unknowns::count),
              Outcome::incomplete);
}

TEST(VerdictTest, AllowUnknownAcceptsWhatCouldNotBeRead) {
    EXPECT_EQ(outcome_of(counts_of(std::vector{unread()}), Severity::medium, Unknowns::accept),
              Outcome::clean);
}

}  // namespace
}  // namespace guard::report
