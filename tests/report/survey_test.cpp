#include "report/survey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/split.h"
#include "report/layout.h"
#include "tests/support/temp_dir.h"

namespace guard {
namespace {

using testing::HasSubstr;
using testing::Not;

SurveyedProcess process_of(std::string command, pid_t pid, Power power) {
    SurveyedProcess process;
    process.subject = {"", pid, pid, 7, std::move(command), ""};
    process.user = "root";
    process.power = power;
    process.why = power == Power::little ? "" : "changes networks (NET_ADMIN)";
    process.filters = 0;
    return process;
}

Survey survey_of(std::vector<SurveyedProcess> processes) {
    Survey survey;
    survey.seen = survey.all = processes.size();
    survey.processes = std::move(processes);
    return survey;
}

TEST(SurveyTextTest, WhoReachesFarIsALineAndTheRestIsCounted) {
    auto far = process_of("tailscaled", 701, Power::network);
    far.listens = {"any:41641/udp"};
    const auto text =
        survey_text(survey_of({far, process_of("bash", 9, Power::little)}), report::Detail::notable);
    EXPECT_THAT(text, HasSubstr("network  tailscaled 701  root  none    any:41641/udp"));
    EXPECT_THAT(text, HasSubstr("1 more with no rights of note (--verbose). 2 of 2 processes seen."));
    EXPECT_THAT(text, Not(HasSubstr("bash")));
}

TEST(SurveyTextTest, VerboseListsEverything) {
    const auto text =
        survey_text(survey_of({process_of("bash", 9, Power::little)}), report::Detail::everything);
    EXPECT_THAT(text, HasSubstr("little  bash 9"));
}

TEST(SurveyTextTest, AlikeProcessesShareALine) {
    const auto text =
        survey_text(survey_of({process_of("smbd", 903, Power::files), process_of("smbd", 904, Power::files)}),
                    report::Detail::notable);
    EXPECT_THAT(text, HasSubstr("smbd 903 + 1 more"));
}

TEST(SurveyTextTest, WhatWasNotReadIsSaid) {
    auto survey = survey_of({process_of("init", 1, Power::machine)});
    survey.processes[0].unread = {"namespaces: Permission denied"};
    survey.processes[0].filters.reset();
    survey.seen = 0;
    const auto text = survey_text(survey, report::Detail::notable);
    EXPECT_THAT(text, HasSubstr("0 of 1 processes seen whole."));
    EXPECT_THAT(text, HasSubstr("Not read of init 1: namespaces: Permission denied."));
    EXPECT_THAT(text, HasSubstr("?"));
}

TEST(SurveyTextTest, ANamespaceThatNoProcessKeepsIsNamedWithItsKeeper) {
    auto survey = survey_of({});
    survey.namespaces = {{"network", 42, false, 0, "", {"a descriptor of dockerd (process 812)"}},
                         {"network", 43, false, 2, "java (process 4711)", {}}};
    const auto text = survey_text(survey, report::Detail::notable);
    EXPECT_THAT(text, HasSubstr("Namespaces besides the machine's own: 1 network."));
    EXPECT_THAT(text, HasSubstr("kept alive by nobody's process:\n    network 42: a descriptor of dockerd"));
}

TEST(SurveyTextTest, NoLineIsWiderThanThePage) {
    auto wide = process_of("a-name-of-more-characters-than-fit", 4'194'304, Power::machine);
    wide.user = "a-user-with-a-long-name";
    wide.listens = {"[2001:db8:1111:2222:3333:4444:5555:6666]:65535/tcp", "any:1/tcp", "any:2/tcp"};
    wide.why = "a reason that is so long that it has to be told on several lines of its column";
    const auto text = survey_text(survey_of({wide}), report::Detail::notable);
    for (const auto line : lines_of(text)) EXPECT_LE(report::width_of(line), report::kPageWidth) << line;
}

TEST(SurveyTextTest, NamesFromStrangersCannotWriteToTheTerminal) {
    const auto text =
        survey_text(survey_of({process_of("\x1b[2Jevil", 5, Power::machine)}), report::Detail::notable);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(SurveyJsonTest, HoldsWhatTheTextShowsAndMore) {
    auto one = process_of("java", 4711, Power::little);
    one.grants = {{"no-new-privs", "", Shift::looser, "held", "open"}};
    const auto json = nlohmann::json::parse(report::survey_json(survey_of({one})));
    EXPECT_EQ(json["guard"], 1);
    EXPECT_EQ(json["processes"][0]["pid"], 4711);
    EXPECT_EQ(json["processes"][0]["rights"], "little");
    EXPECT_EQ(json["processes"][0]["grants"][0]["field"], "no-new-privs");
    EXPECT_EQ(json["seen"], 1);
}

std::set<std::string> keys_of(const nlohmann::json& object) {
    std::set<std::string> keys;
    for (const auto& [key, value] : object.items()) keys.insert(key);
    return keys;
}

TEST(SurveyJsonTest, HasExactlyWhatItsSchemaNames) {
    auto survey = survey_of({process_of("java", 4711, Power::little)});
    survey.processes[0].grants = {{"no-new-privs", "", Shift::looser, "held", "open"}};
    survey.namespaces = {{"network", 42, false, 0, "", {}}};
    const auto json = nlohmann::json::parse(report::survey_json(survey));
    const auto schema = nlohmann::json::parse(support::text_of(GUARD_SOURCE_DIR "/docs/survey.schema.json"));
    const auto& process = schema["$defs"]["process"]["properties"];
    EXPECT_EQ(keys_of(json), keys_of(schema["properties"]));
    EXPECT_EQ(keys_of(json["processes"][0]), keys_of(process));
    EXPECT_EQ(keys_of(json["processes"][0]["grants"][0]), keys_of(process["grants"]["items"]["properties"]));
    EXPECT_EQ(keys_of(json["namespaces"][0]), keys_of(schema["$defs"]["namespace"]["properties"]));
    for (const auto& row : powers())
        EXPECT_THAT(process["rights"]["enum"], testing::Contains(std::string(row.name)));
}

TEST(SurveyPrometheusTest, EverySeriesIsThereAlsoWithZero) {
    const auto text = report::survey_prometheus(survey_of({process_of("smbd", 903, Power::files)}));
    EXPECT_THAT(text, HasSubstr("guard_machine_processes{rights=\"files\",filter=\"none\"} 1\n"));
    EXPECT_THAT(text, HasSubstr("guard_machine_processes{rights=\"whole machine\",filter=\"yes\"} 0\n"));
    EXPECT_THAT(text, HasSubstr("guard_machine_unread 0\n"));
}

}  // namespace
}  // namespace guard
