#include <fmt/format.h>

#include <set>

#include "report/finding_words.h"
#include "report/findings.h"
#include "report/layout.h"

// One test suite a container, one test case a finding; a container in which nothing was found has one case
// that passes. Waived is skipped, unknown is an error.
namespace guard::report {
namespace {

std::string escaped(std::string_view text) {
    std::string result;
    for (const char character : printable(text)) {
        switch (character) {
            case '&': result += "&amp;"; break;
            case '<': result += "&lt;"; break;
            case '>': result += "&gt;"; break;
            case '"': result += "&quot;"; break;
            default: result += character;
        }
    }
    return result;
}

std::string case_of(const Finding& finding) {
    const auto name = finding.item.empty() ? std::string(finding.check->id)
                                           : fmt::format("{} {}", finding.check->id, finding.item);
    const auto open =
        fmt::format("    <testcase classname=\"{}\" name=\"{}\">", escaped(unit_of(finding)), escaped(name));
    std::string body;
    if (finding.waiver)
        body = fmt::format("<skipped message=\"{}\"/>", escaped(waiver_in_words(*finding.waiver)));
    else if (finding.verdict == Verdict::unknown)
        body = fmt::format("<error message=\"{}\"/>", escaped(why_of(finding)));
    else
        body = fmt::format("<failure type=\"{}\" message=\"{}\">found {}, expected {}</failure>",
                           rank_of(finding), escaped(title_of(finding)), escaped(observed_in_words(finding)),
                           escaped(expected_in_words(finding, ItemNamed::no)));
    return fmt::format("{}{}</testcase>\n", open, body);
}

struct Suite {
    std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
    std::string cases;
};

Suite suite_of(const std::string& unit, const Findings& findings) {
    Suite suite;
    for (const auto& finding : findings.findings) {
        if (unit_of(finding) != unit) continue;
        ++suite.tests;
        ++(finding.waiver                        ? suite.skipped
           : finding.verdict == Verdict::unknown ? suite.errors
                                                 : suite.failures);
        suite.cases += case_of(finding);
    }
    if (suite.tests > 0) return suite;
    return {1, 0, 0, 0,
            fmt::format("    <testcase classname=\"{}\" name=\"as declared\"/>\n", escaped(unit))};
}

}  // namespace

std::string findings_junit(const Findings& findings) {
    std::set<std::string> units;
    for (const auto& one : findings.examined) units.insert(one.unit);
    for (const auto& finding : findings.findings) units.insert(unit_of(finding));
    std::string text = fmt::format(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"guard {}\">\n", findings.command);
    for (const auto& unit : units) {
        const auto suite = suite_of(unit, findings);
        text += fmt::format(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n{}  "
            "</testsuite>\n",
            escaped(unit), suite.tests, suite.failures, suite.errors, suite.skipped, suite.cases);
    }
    return text + "</testsuites>\n";
}

}  // namespace guard::report
