#include "report/finding_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/layout.h"

namespace guard::report {
namespace {

constexpr std::size_t kSubjectsNamed = 3;

// The words compare uses for a right that is there: the item says it all.
bool says_only_there(std::string_view words) { return words == "held" || words == "granted"; }

std::string program_of(const Subject& subject) {
    const auto path = printable(subject.exe.empty() ? subject.command : subject.exe);
    return path.substr(path.rfind('/') + 1);
}

std::string subject_in_words(const Subject& subject) {
    auto process = fmt::format("{} (process {})", program_of(subject), subject.pid);
    if (subject.tid == 0 || subject.tid == subject.pid) return process;
    return fmt::format("thread {} \"{}\" of {}", subject.tid, printable(subject.command), process);
}

// What follows the title: why it is unknown, what changed, or what was found.
std::string what_of(const Finding& finding) {
    const auto& notes = finding.notes;
    if (finding.verdict == Verdict::unknown) return fmt::format(" ({})", printable(finding.reason));
    // A title of its own says the change itself.
    if (finding.title.empty())
        return fmt::format(": found {}, expected {}", observed_in_words(finding),
                           expected_in_words(finding, ItemNamed::no));
    const auto means = notes.means.empty() ? "" : fmt::format(": {}", printable(notes.means));
    return means + (notes.witness.empty() ? "" : fmt::format(" (shown by {})", printable(notes.witness)));
}

}  // namespace

std::string unit_of(const Finding& finding) {
    return finding.subjects.empty() ? std::string() : printable(finding.subjects.front().unit);
}

std::vector<std::string> units_of(const Finding& finding) {
    std::vector<std::string> units;
    for (const auto& subject : finding.subjects)
        if (std::ranges::find(units, subject.unit) == units.end()) units.push_back(subject.unit);
    return units;
}

std::string units_in_words(const Finding& finding) {
    const auto units = units_of(finding);
    const auto& origin = finding.notes.origin;
    if (!origin.empty() && units.size() > kSubjectsNamed)
        return printable(fmt::format("{} -> {} profiles", origin, units.size()));
    const std::span named(units.data(), std::min(units.size(), kSubjectsNamed));
    const auto more = units.size() - named.size();
    return printable(listed(named)) + (more == 0 ? "" : fmt::format(" and {} more", more));
}

std::string subjects_in_words(const Finding& finding, std::size_t tasks_of_unit) {
    std::vector<std::string> tasks;
    for (const auto& subject : finding.subjects)
        if (subject.pid != 0) tasks.push_back(subject_in_words(subject));
    if (tasks.empty()) return {};
    if (tasks.size() == 1) return tasks.front();
    if (tasks.size() == tasks_of_unit) return fmt::format("all {} tasks", tasks.size());
    const std::span named(tasks.data(), std::min(tasks.size(), kSubjectsNamed));
    const auto more = tasks.size() - named.size();
    return fmt::format("{} tasks, {}{}", tasks.size(), listed(named),
                       more == 0 ? "" : fmt::format(" and {} more", more));
}

std::string title_of(const Finding& finding) {
    if (finding.verdict == Verdict::unknown && finding.title.empty())
        return "could not be read, so nobody knows whether it is as declared";
    return finding.title.empty() ? std::string(finding.check->title) : printable(finding.title);
}

std::string observed_in_words(const Finding& finding) {
    auto item = printable(finding.item);
    if (item.empty()) return finding.observed.empty() ? "nothing" : printable(finding.observed);
    if (finding.observed.empty()) return item + ": not there";
    if (says_only_there(finding.observed)) return item;
    return fmt::format("{}: {}", item, printable(finding.observed));
}

std::string expected_in_words(const Finding& finding, ItemNamed named) {
    auto item = printable(finding.item);
    if (finding.expected.empty()) return "none";
    if (says_only_there(finding.expected) && !item.empty()) return item;
    if (named == ItemNamed::no || item.empty()) return printable(finding.expected);
    return fmt::format("{}: {}", item, printable(finding.expected));
}

std::string sentence_of(const Finding& finding) {
    auto text = title_of(finding) + what_of(finding);
    if (finding.waiver) text += fmt::format("; waived {}", waiver_in_words(*finding.waiver));
    return text;
}

std::string counts_in_words(const Counts& counts) {
    std::vector<std::string> parts;
    const auto add = [&parts](std::size_t count, std::string_view what) {
        if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
    };
    for (std::size_t rank = counts.by_severity.size(); rank-- > 1;)
        add(counts.by_severity.at(rank), severity_name(static_cast<Severity>(rank)));
    add(counts.unknown, "unknown");
    add(counts.waived, "waived");
    return listed(parts);
}

std::string_view rank_of(const Finding& finding) {
    if (finding.waiver) return "waived";
    if (finding.verdict == Verdict::unknown) return "unknown";
    return severity_name(finding.severity);
}

std::string why_of(const Finding& finding) {
    if (finding.verdict == Verdict::unknown) return printable(finding.reason);
    return finding.why.empty() ? std::string(finding.check->why) : printable(finding.why);
}

std::string fix_of(const Finding& finding, const Findings& all) {
    if (finding.verdict != Verdict::unknown && !all.own_launch)
        return "change how it is started, or judge it by a profile that grants this";
    if (finding.verdict != Verdict::unknown)
        return finding.fix.empty() ? std::string(finding.check->fix) : printable(finding.fix);
    if (!all.as_root && !all.again.empty()) return "sudo " + all.again;
    if (!all.as_root) return fmt::format("sudo guard {} {}", all.command, unit_of(finding));
    if (!finding.fix.empty()) return printable(finding.fix);
    // As root nothing more can be had by asking again: either another way to look, or the owner's word.
    const auto* const other = all.own_launch ? "guard doctor says what this machine lacks"
                                             : "look with the tools of whoever started it";
    return fmt::format("{}; --allow-unknown accepts what can't be seen", other);
}

std::string waiver_in_words(const Waiver& waiver) {
    const auto until = waiver.expires ? " until " + date_in_words(*waiver.expires) : std::string();
    return printable(fmt::format("by {}{}: {}", waiver.owner, until, waiver.reason));
}

std::string where_in_words(const Where& where) { return printable(format_where_short(where)); }

}  // namespace guard::report
