#include <fmt/format.h>

#include "report/finding_words.h"
#include "report/findings.h"
#include "report/layout.h"
#include "report/review_words.h"

// One comment, to be updated in place: the marker in the first line says which one is guard's.
namespace guard::report {
namespace {

// A cell of a table: what would end it or start markup is escaped.
std::string cell(std::string_view text) {
    std::string result;
    for (const char character : printable(text)) {
        if (std::string_view("|\\`*_<>[]").find(character) != std::string_view::npos) result += '\\';
        result += character;
    }
    return result;
}

std::string head(const Findings& findings, const Counts& counts) {
    const auto words = counts_in_words(counts);
    const auto verdict = words.empty() ? "as declared" : words;
    return fmt::format("<!-- guard {} -->\n### guard: {}, {} looked at\n", findings.command, verdict,
                       counted(findings.examined.size(), findings.units));
}

std::string row(const Finding& finding) {
    const auto rank = rank_of(finding);
    const bool loud = finding.severity >= Severity::high && !finding.waiver;
    const auto found = finding.verdict == Verdict::unknown ? why_of(finding) : observed_in_words(finding);
    return fmt::format("| {} | {} | {} (`{}`) | {} | {} | {} |\n", loud ? fmt::format("**{}**", rank) : rank,
                       cell(unit_of(finding)), cell(title_of(finding)), finding.check->id, cell(found),
                       cell(expected_in_words(finding, ItemNamed::no)), cell(where_in_words(finding.where)));
}

std::string details(const Findings& findings) {
    std::string text = "\n<details><summary>why, and what to do</summary>\n\n";
    const Check* last = nullptr;
    for (const auto& finding : findings.findings) {
        if (finding.check == last) continue;
        last = finding.check;
        text += fmt::format("- `{}`: {}. {}.\n", finding.check->id, cell(why_of(finding)),
                            cell(fix_of(finding, findings)));
    }
    return text + "\n</details>\n";
}

}  // namespace

std::string findings_markdown(const Findings& findings) {
    if (findings.change) return review_markdown(findings);
    auto text = head(findings, counts_of(findings.findings));
    if (findings.findings.empty()) return text;
    text += fmt::format("\n| risk | {} | what | found | expected | where |\n|---|---|---|---|---|---|\n",
                        findings.units);
    for (const auto& finding : findings.findings) text += row(finding);
    return text + details(findings);
}

}  // namespace guard::report
