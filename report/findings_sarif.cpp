#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "report/finding_words.h"
#include "report/findings.h"

// SARIF 2.1.0, with what code scanning on GitHub asks for: every text filled in, a security-severity for each
// rule, and fingerprints of meaning, so that a moved line is not a new alert.
namespace guard::report {
namespace {

using Json = nlohmann::ordered_json;

struct SarifSeverity {
    std::string_view level, score;
};
constexpr std::array<SarifSeverity, 6> kSeverities{{{"none", "0.0"},
                                                    {"note", "0.1"},
                                                    {"note", "3.0"},
                                                    {"warning", "5.5"},
                                                    {"error", "8.0"},
                                                    {"error", "9.5"}}};

const SarifSeverity& sarif_severity(Severity severity) {
    return kSeverities.at(static_cast<std::size_t>(severity));
}

Json rule_json(const Check& check) {
    const auto text = [](std::string_view words) { return Json{{"text", words}}; };
    return {{"id", check.id},
            {"shortDescription", text(check.title)},
            {"fullDescription", text(check.why)},
            {"help", text(fmt::format("{}. See {}.", check.fix, check.source))},
            {"properties",
             {{"security-severity", sarif_severity(check.looser).score},
              {"precision", "very-high"},
              {"tags", {"security"}}}}};
}

Json rules_json(const Findings& findings) {
    std::map<std::string_view, const Check*> used;
    for (const auto& finding : findings.findings) used[finding.check->id] = finding.check;
    auto rules = Json::array();
    for (const auto& [id, check] : used) rules.push_back(rule_json(*check));
    return rules;
}

// A place in a file where somebody wrote it down; else the container alone.
Json location_json(const Finding& finding) {
    Json location{{"logicalLocations", {{{"name", unit_of(finding)}, {"kind", "module"}}}}};
    if (finding.where.line == 0) return location;
    location["physicalLocation"] = {
        {"artifactLocation", {{"uri", finding.where.file}}},
        {"region", {{"startLine", finding.where.line}, {"startColumn", std::max(finding.where.column, 1U)}}}};
    return location;
}

Json result_json(const Finding& finding, const std::string& print) {
    const bool unknown = finding.verdict == Verdict::unknown;
    const auto message =
        unknown ? fmt::format("{}: {} ({})", unit_of(finding), title_of(finding), finding.reason)
                : fmt::format("{}: {}: found {}, expected {}", unit_of(finding), title_of(finding),
                              observed_in_words(finding), expected_in_words(finding, ItemNamed::no));
    Json result{{"ruleId", finding.check->id},
                {"level", unknown ? "warning" : sarif_severity(finding.severity).level},
                {"message", {{"text", message}}},
                {"locations", {location_json(finding)}},
                {"partialFingerprints", {{"primaryLocationLineHash", print}, {"guardMeaning/v1", print}}},
                {"properties", {{"item", finding.item}, {"verdict", verdict_name(finding.verdict)}}}};
    if (finding.waiver)
        result["suppressions"] = {
            {{"kind", "external"}, {"justification", waiver_in_words(*finding.waiver)}}};
    return result;
}

// Results of one meaning with different values are told apart by their order.
Json results_json(const Findings& findings) {
    std::map<std::string, int> seen;
    auto results = Json::array();
    for (const auto& finding : findings.findings) {
        const auto print = fingerprint(finding);
        results.push_back(result_json(finding, fmt::format("{}:{}", print, ++seen[print])));
    }
    return results;
}

}  // namespace

std::string findings_sarif(const Findings& findings) {
    const Json driver{{"name", "guard"}, {"rules", rules_json(findings)}};
    const Json run{{"tool", {{"driver", driver}}},
                   {"automationDetails", {{"id", fmt::format("guard-{}/", findings.command)}}},
                   {"columnKind", "unicodeCodePoints"},
                   {"results", results_json(findings)}};
    const Json log{
        {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", {run}}};
    return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace guard::report
