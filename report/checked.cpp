#include "report/checked.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/diagnostics.h"
#include "report/findings_json.h"
#include "report/layout.h"

namespace guard::report {
namespace {

std::size_t errors_of(const Checked& checked) {
    return static_cast<std::size_t>(
        std::ranges::count(checked.diagnostics, Level::error, &Diagnostic::level));
}

bool is_about(const Finding& finding, const std::string& unit) {
    return std::ranges::find(finding.subjects, unit, &Subject::unit) != finding.subjects.end();
}

bool is_shown(const Finding& finding, const CheckedView& view) {
    return finding.waiver ? view.waived : finding.severity >= view.least;
}

// How many of some findings are shown, too low to be shown, and waived.
struct Tally {
    std::size_t shown = 0, lower = 0, waived = 0;
    Counts counts;
};
Tally tally_of(const std::vector<Finding>& findings, const CheckedView& view) {
    Tally tally{.counts = counts_of(findings)};
    tally.waived = tally.counts.waived;
    for (const auto& finding : findings)
        if (!finding.waiver) ++(finding.severity >= view.least ? tally.shown : tally.lower);
    return tally;
}

std::string ranks_in_words(const Counts& counts, Severity least) {
    std::vector<std::string> parts;
    for (std::size_t rank = counts.by_severity.size(); rank-- > static_cast<std::size_t>(least);)
        if (const auto count = counts.by_severity.at(rank); count > 0)
            parts.push_back(fmt::format("{} {}", count, severity_name(static_cast<Severity>(rank))));
    return listed(parts);
}

// "2 findings: 1 high, 1 medium", "no findings", and what is not shown.
std::string verdict_in_words(const Tally& tally, const CheckedView& view) {
    auto text = tally.shown == 0 ? std::string("no findings")
                                 : fmt::format("{}: {}", counted(tally.shown, "finding"),
                                               ranks_in_words(tally.counts, view.least));
    if (tally.lower > 0) text += fmt::format(", {} below {}", tally.lower, severity_name(view.least));
    if (tally.waived > 0) text += fmt::format(", {} waived", tally.waived);
    return text;
}

std::string last_line(const Checked& checked, const Findings& findings, const CheckedView& view) {
    const auto errors = errors_of(checked);
    const auto name = printable(checked.name);
    if (errors > 0) return fmt::format("{}: {}, nothing was compiled\n", name, counted(errors, "error"));
    std::vector<Finding> own;
    std::ranges::copy_if(findings.findings, std::back_inserter(own),
                         [&checked](const auto& finding) { return is_about(finding, checked.unit); });
    const auto verdict = verdict_in_words(tally_of(own, view), view);
    if (!checked.instructions) return fmt::format("{}: {}\n", name, verdict);
    return hanging(
        name + ":", name.size() + 2,
        fmt::format("{}; {}, {}, {}", verdict, counted(checked.files, "file"),
                    counted(checked.calls, "system call"), counted(*checked.instructions, "instruction")));
}

std::string sum_line(std::span<const Checked> profiles, const Findings& findings, const CheckedView& view) {
    if (profiles.size() < 2) return {};
    std::size_t errors = 0;
    for (const auto& checked : profiles) errors += errors_of(checked);
    const auto verdict = verdict_in_words(tally_of(findings.findings, view), view);
    const auto broken = errors == 0 ? std::string() : counted(errors, "error") + ", ";
    return fmt::format("{}: {}{}\n", counted(profiles.size(), "profile"), broken, verdict);
}

Json place_json(const Mark& mark) {
    return {{"file", mark.where.file},
            {"line", mark.where.line},
            {"column", mark.where.column},
            {"length", mark.length},
            {"note", mark.note}};
}

Json diagnostic_json(const Diagnostic& diagnostic) {
    auto marks = Json::array();
    for (const auto& mark : diagnostic.marks) marks.push_back(place_json(mark));
    return {{"level", level_name(diagnostic.level)}, {"message", diagnostic.message}, {"marks", marks}};
}

Json profile_json(const Checked& checked) {
    auto diagnostics = Json::array();
    for (const auto& one : checked.diagnostics)
        if (one.check.empty()) diagnostics.push_back(diagnostic_json(one));
    return {{"name", checked.name},
            {"ok", errors_of(checked) == 0},
            {"files", checked.files},
            {"calls", checked.calls},
            {"instructions", checked.instructions ? Json(*checked.instructions) : Json(nullptr)},
            {"diagnostics", diagnostics}};
}

}  // namespace

std::string checked_text(std::span<const Checked> profiles, const Findings& findings,
                         const CheckedView& view) {
    std::string text;
    for (const auto& checked : profiles)
        for (const auto& one : checked.diagnostics)
            if (one.check.empty()) text += diagnostics_text({&one, 1}, view.colour);
    auto shown = findings;
    std::erase_if(shown.findings, [&view](const Finding& finding) { return !is_shown(finding, view); });
    text += entries_text(shown, view.colour);
    for (const auto& checked : profiles) text += last_line(checked, findings, view);
    return text + sum_line(profiles, findings, view);
}

std::string checked_json(std::span<const Checked> profiles, const Findings& findings) {
    auto list = Json::array();
    for (const auto& checked : profiles) list.push_back(profile_json(checked));
    auto all = findings_as_json(findings);
    all["profiles"] = list;
    return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace guard::report
