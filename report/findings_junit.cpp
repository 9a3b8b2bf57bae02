#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/split.h"
#include "report/finding_words.h"
#include "report/findings.h"
#include "report/layout.h"

// One suite a container or profile, one case a check: it fails where a finding counts for --fail-on, is an
// error where something could not be read, skipped where all of it is waived, and passes else; what weighs
// less stands in its output.
namespace guard::report {
namespace {

// U+FFFE and U+FFFF are no characters of XML 1.0; what a terminal would obey is gone before.
std::string escaped(std::string_view text) {
    std::string result = printable(text);
    const auto replace_all = [&result](std::string_view what, std::string_view with) {
        for (auto at = result.find(what); at != std::string::npos; at = result.find(what, at + with.size()))
            result.replace(at, what.size(), with);
    };
    replace_all("\xEF\xBF\xBE", "?");
    replace_all("\xEF\xBF\xBF", "?");
    replace_all("&", "&amp;");
    replace_all("<", "&lt;");
    replace_all(">", "&gt;");
    replace_all("\"", "&quot;");
    return result;
}

// The same, with its lines kept.
std::string escaped_lines(std::string_view text) {
    std::string result;
    for (const auto line : split(text, '\n')) result += escaped(line) + "\n";
    return result;
}

using Case = std::vector<const Finding*>;  // of one check on one unit

// What makes a case what it is: the first that holds.
enum class Result : std::uint8_t { failure, error, skipped, passed };

Result result_of(const Finding& finding, const Bar& bar) {
    if (finding.waiver) return Result::skipped;
    if (finding.verdict == Verdict::unknown)
        return bar.unknowns == Unknowns::count ? Result::error : Result::skipped;
    return finding.severity >= bar.fail_on ? Result::failure : Result::passed;
}

Result result_of(const Case& findings, const Bar& bar) {
    auto worst = Result::passed;
    bool all_skipped = !findings.empty();
    for (const auto* finding : findings) {
        const auto result = result_of(*finding, bar);
        if (result != Result::skipped) {
            all_skipped = false;
            worst = std::min(worst, result);
        }
    }
    return all_skipped ? Result::skipped : worst;
}

// One line a finding: nothing of a case is lost to its result.
std::string sentences_of(const Case& findings) {
    std::string lines;
    for (const auto* finding : findings) {
        const auto where = where_in_words(finding->where);
        lines += fmt::format("{}{}: {}{}", lines.empty() ? "" : "\n", rank_of(*finding),
                             sentence_of(*finding), where.empty() ? "" : fmt::format(" ({})", where));
    }
    return lines;
}

std::string body_of(const Case& findings, Result result) {
    if (findings.empty()) return {};
    const auto lines = escaped_lines(sentences_of(findings));
    const auto message = escaped(title_of(*findings.front()));
    switch (result) {
        case Result::failure:
            return fmt::format("<failure type=\"{}\" message=\"{}\">{}</failure>", rank_of(*findings.front()),
                               message, lines);
        case Result::error:
            return fmt::format("<error type=\"unknown\" message=\"{}\">{}</error>", message, lines);
        case Result::skipped:
            return fmt::format("<skipped message=\"{}\"/><system-out>{}</system-out>", message, lines);
        case Result::passed: break;
    }
    return fmt::format("<system-out>{}</system-out>", lines);
}

// The cases of one unit, by check: those asked everywhere, and those that found something.
std::map<std::string_view, Case> cases_of(const std::string& unit, const Findings& all) {
    std::map<std::string_view, Case> cases;
    const auto looked_at = [&unit](const Examined& one) { return one.unit == unit && one.checks > 0; };
    if (std::ranges::any_of(all.examined, looked_at))
        for (const auto id : all.asked) cases[id];
    for (const auto& finding : all.findings)
        if (std::ranges::find(finding.subjects, unit, &Subject::unit) != finding.subjects.end())
            cases[finding.check->id].push_back(&finding);
    if (cases.empty()) cases["as declared"];
    return cases;
}

std::string suite_of(const std::string& unit, const Findings& all) {
    std::array<std::size_t, 4> counts{};
    std::string text;
    const auto cases = cases_of(unit, all);
    for (const auto& [id, findings] : cases) {
        const auto result = result_of(findings, all.bar);
        ++counts.at(static_cast<std::size_t>(result));
        text += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"0\">{}</testcase>\n",
                            escaped(unit), id, body_of(findings, result));
    }
    return fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"0\">\n{}"
        "  </testsuite>\n",
        escaped(unit), cases.size(), counts[0], counts[1], counts[2], text);
}

}  // namespace

std::string findings_junit(const Findings& findings) {
    std::set<std::string> units;
    for (const auto& one : findings.examined) units.insert(one.unit);
    for (const auto& finding : findings.findings)
        for (const auto& subject : finding.subjects) units.insert(subject.unit);
    auto text = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"guard {}\">\n",
                            findings.command);
    for (const auto& unit : units) text += suite_of(unit, findings);
    return text + "</testsuites>\n";
}

}  // namespace guard::report
