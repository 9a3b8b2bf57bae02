#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "report/finding_words.h"
#include "report/findings.h"
#include "report/layout.h"
#include "report/place.h"

// SARIF 2.1.0, with what code scanning on GitHub asks for: every text filled in, a security-severity for each
// rule, places relative to the work tree, and fingerprints of meaning, so that a moved line is no new alert.
namespace guard::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostScanned = 5000;  // code scanning keeps no more of a run, and says nothing about it
constexpr std::string_view kRoot = "%SRCROOT%";

struct SarifSeverity {
    std::string_view level;
    std::string_view score;  ///< above 9.0 is critical, from 7.0 high, from 4.0 medium; empty: no risk
};
constexpr std::array<SarifSeverity, 6> kSeverities{
    {{"none", ""}, {"note", ""}, {"note", "2.0"}, {"warning", "5.5"}, {"error", "8.0"}, {"error", "9.5"}}};
constexpr SarifSeverity kUnknown{"warning", ""};

SarifSeverity severity_of(const Finding& finding) {
    if (finding.verdict == Verdict::unknown) return kUnknown;
    return kSeverities.at(static_cast<std::size_t>(finding.severity));
}

// Readers take the severity from the rule. A finding that weighs more or less than its check usually does
// stands under a rule of its own: "limits/low".
std::string rule_id(const Finding& finding) {
    if (finding.verdict == Verdict::unknown) return fmt::format("{}/unknown", finding.check->id);
    if (finding.severity == finding.check->looser) return std::string(finding.check->id);
    return fmt::format("{}/{}", finding.check->id, severity_name(finding.severity));
}

Json text_json(std::string_view words) { return {{"text", words}}; }

// "**Why:** ...", a paragraph each, of what is there.
std::string help_of(const Check& check, std::string_view mark) {
    const auto paragraph = [mark](std::string_view label, std::string_view text) {
        return text.empty() ? std::string() : fmt::format("{0}{1}:{0} {2}\n\n", mark, label, text);
    };
    return paragraph("What", check.title) + paragraph("Why", check.why) + paragraph("Do", check.fix) +
           paragraph("See", check.source);
}

// What all findings of a rule have in common: the check's own words.
Json rule_json(const std::string& id, const Finding& finding) {
    const auto& check = *finding.check;
    const auto severity = severity_of(finding);
    const bool unknown = finding.verdict == Verdict::unknown;
    const auto title = unknown ? fmt::format("{}: could not be read", check.id) : std::string(check.title);
    Json rule{{"id", id},
              {"shortDescription", text_json(title)},
              {"fullDescription", text_json(fmt::format("{}.", check.why.empty() ? check.title : check.why))},
              {"help", {{"text", help_of(check, "")}, {"markdown", help_of(check, "**")}}},
              {"defaultConfiguration", {{"level", severity.level}}},
              {"properties", {{"precision", "very-high"}, {"tags", {"security"}}}}};
    if (!severity.score.empty()) rule["properties"]["security-severity"] = severity.score;
    return rule;
}

Json rules_json(std::span<const Finding> findings) {
    std::map<std::string, const Finding*> first;
    for (const auto& finding : findings) first.emplace(rule_id(finding), &finding);
    auto rules = Json::array();
    for (const auto& [id, finding] : first) rules.push_back(rule_json(id, *finding));
    return rules;
}

Json place_json(const Place& place) {
    Json artifact{{"uri", uri_of(place.path)}};
    if (!place.path.starts_with('/')) artifact["uriBaseId"] = kRoot;
    return {{"artifactLocation", artifact},
            {"region",
             {{"startLine", place.line},
              {"startColumn", place.column},
              {"endLine", place.line},
              {"endColumn", place.column + 1}}}};
}

Json location_json(const Finding& finding, const Findings& all) {
    auto units = Json::array();
    for (const auto& unit : units_of(finding)) units.push_back({{"name", unit}, {"kind", "resource"}});
    Json location{{"logicalLocations", units}};
    if (const auto place = place_of(finding, all))
        location["physicalLocation"] = place_json(*place);
    else if (all.sarif_reader == SarifReader::code_scanning)
        location["physicalLocation"] = place_json({unit_of(finding)});
    return location;
}

Json result_json(const Finding& finding, const std::string& print, const Findings& all) {
    Json result{{"ruleId", rule_id(finding)},
                {"level", severity_of(finding).level},
                {"message", text_json(fmt::format("{}: {}", units_in_words(finding), sentence_of(finding)))},
                {"locations", {location_json(finding, all)}},
                {"partialFingerprints", {{"primaryLocationLineHash", print}, {"guardMeaning/v1", print}}},
                {"properties",
                 {{"item", finding.item},
                  {"severity", severity_name(finding.severity)},
                  {"verdict", verdict_name(finding.verdict)}}}};
    if (finding.waiver)
        result["suppressions"] = {
            {{"kind", "external"}, {"justification", waiver_in_words(*finding.waiver)}}};
    return result;
}

Json results_json(std::span<const Finding> findings, const Findings& all) {
    const auto prints = fingerprints(findings);
    auto results = Json::array();
    for (std::size_t i = 0; i < findings.size(); ++i)
        results.push_back(result_json(findings[i], prints[i], all));
    return results;
}

// What this reader can be given, the worst first as they come.
std::vector<Finding> readable(const Findings& all) {
    auto findings = all.findings;
    if (all.sarif_reader == SarifReader::any) return findings;
    std::erase_if(findings, [](const Finding& finding) { return finding.waiver.has_value(); });
    if (findings.size() > kMostScanned) findings.erase(findings.begin() + kMostScanned, findings.end());
    return findings;
}

// What was left out is said in the run itself.
Json invocation_json(const Findings& all, std::size_t kept) {
    Json invocation{{"executionSuccessful", true}};
    const auto left_out = all.findings.size() - counts_of(all.findings).waived - kept;
    if (all.sarif_reader == SarifReader::code_scanning && left_out > 0)
        invocation["toolExecutionNotifications"] = {
            {{"level", "warning"},
             {"message", text_json(fmt::format("{} of lesser weight left out: code scanning keeps {}",
                                               counted(left_out, "finding"), kMostScanned))}}};
    return invocation;
}

Json driver_json(const Findings& all, std::span<const Finding> kept) {
    Json driver{{"name", "guard"}};
    if (!all.version.empty()) driver["semanticVersion"] = all.version;
    driver["rules"] = rules_json(kept);
    return driver;
}

}  // namespace

std::string findings_sarif(const Findings& findings) {
    const auto kept = readable(findings);
    const Json run{
        {"tool", {{"driver", driver_json(findings, kept)}}},
        {"automationDetails", {{"id", fmt::format("guard-{}/", findings.command)}}},
        {"originalUriBaseIds", {{kRoot, {{"description", text_json("the root of the work tree")}}}}},
        {"columnKind", "unicodeCodePoints"},
        {"invocations", {invocation_json(findings, kept.size())}},
        {"results", results_json(kept, findings)}};
    const Json log{
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", {run}}};
    return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace guard::report
