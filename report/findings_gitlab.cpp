#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "report/finding_words.h"
#include "report/findings.h"
#include "report/place.h"

// GitLab's Code Quality report. Of equal fingerprints it shows the first alone, and it knows no waivers: what
// is waived stands there as information, with who waived it.
namespace guard::report {
namespace {

using Json = nlohmann::ordered_json;

std::string_view severity_of(const Finding& finding) {
    constexpr std::array<std::string_view, 6> kSeverities{"info",  "info",     "minor",
                                                          "major", "critical", "blocker"};
    if (finding.waiver) return kSeverities.front();
    return kSeverities.at(static_cast<std::size_t>(finding.severity));
}

Json issue_json(const Finding& finding, const std::string& print, const Findings& all) {
    const auto place = place_of(finding, all).value_or(Place{unit_of(finding)});
    const auto path = place.path.substr(std::min(place.path.find_first_not_of('/'), place.path.size()));
    return {{"description", fmt::format("{}: {}", units_in_words(finding), sentence_of(finding))},
            {"check_name", finding.check->id},
            {"fingerprint", print},
            {"severity", severity_of(finding)},
            {"location", {{"path", path}, {"lines", {{"begin", place.line}}}}}};
}

}  // namespace

std::string findings_gitlab(const Findings& findings) {
    const auto prints = fingerprints(findings.findings);
    auto issues = Json::array();
    for (std::size_t i = 0; i < findings.findings.size(); ++i)
        issues.push_back(issue_json(findings.findings[i], prints[i], findings));
    return issues.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace guard::report
