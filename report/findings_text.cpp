#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "report/finding_words.h"
#include "report/findings.h"
#include "report/layout.h"
#include "report/review_words.h"

namespace guard::report {
namespace {

constexpr std::size_t kRankWidth = 10;   // "critical" and two spaces
constexpr std::size_t kLabelWidth = 10;  // "expected" and two spaces

// Findings of one check on the same tasks: one entry for the reader.
using Entry = std::span<const Finding>;

auto task_ids(const Finding& finding) {
    std::set<std::pair<pid_t, pid_t>> ids;
    for (const auto& subject : finding.subjects) ids.emplace(subject.pid, subject.tid);
    return ids;
}

bool same_entry(const Finding& a, const Finding& b) {
    return a.check == b.check && a.severity == b.severity && a.verdict == b.verdict && a.reason == b.reason &&
           unit_of(a) == unit_of(b) && !a.waiver && !b.waiver && task_ids(a) == task_ids(b);
}

std::vector<Entry> entries_of(Entry findings) {
    std::vector<Entry> entries;
    for (std::size_t begin = 0; begin < findings.size();) {
        auto end = begin + 1;
        while (end < findings.size() && same_entry(findings[begin], findings[end])) ++end;
        entries.push_back(findings.subspan(begin, end - begin));
        begin = end;
    }
    return entries;
}

std::size_t unit_width(const Findings& all) {
    std::size_t width = 0;
    for (const auto& one : all.examined) width = std::max(width, width_of(one.unit));
    for (const auto& finding : all.findings) width = std::max(width, width_of(unit_of(finding)));
    return width;
}

std::size_t tasks_of(const Findings& all, const std::string& unit) {
    const auto row = std::ranges::find(all.examined, unit, &Examined::unit);
    return row == all.examined.end() ? 0 : row->tasks;
}

std::string head_line(const Finding& finding, std::size_t units, Colour colour) {
    const auto rank = rank_of(finding);
    const auto indent = kRankWidth + units + 2;
    const auto id = finding.check->id;
    const auto unit = padded(unit_of(finding), units + 2);
    const auto title = wrap(title_of(finding), kPageWidth - indent - id.size() - 2);
    auto text = two_sided(std::string(kRankWidth, ' ') + unit + title.front(), id);
    text.replace(0, rank.size(), painted(rank, finding.severity, colour));
    for (std::size_t i = 1; i < title.size(); ++i) text += std::string(indent, ' ') + title[i] + "\n";
    return text;
}

std::string labelled(std::string_view label, const std::string& text) {
    if (text.empty()) return {};
    return hanging(std::string(kRankWidth, ' ') + std::string(label), kRankWidth + kLabelWidth, text);
}

// As labelled, with the place it is written at the right edge of the last line.
std::string labelled_at(std::string_view label, const std::string& text, const std::string& where) {
    auto lines = labelled(label, text);
    if (lines.empty() || where.empty()) return lines;
    lines.pop_back();
    const auto last = lines.rfind('\n') + 1;
    return lines.substr(0, last) + two_sided(lines.substr(last), where);
}

// Each text once, in order.
std::string distinct(const std::vector<std::string>& texts) {
    std::vector<std::string> once;
    for (const auto& text : texts)
        if (std::ranges::find(once, text) == once.end()) once.push_back(text);
    return listed(once);
}

std::string found_in_words(Entry entry, std::size_t tasks) {
    std::vector<std::string> items;
    for (const auto& finding : entry) items.push_back(observed_in_words(finding));
    const auto who = subjects_in_words(entry.front(), tasks);
    return who.empty() ? distinct(items) : fmt::format("{}: {}", who, distinct(items));
}

std::string expected_in_words(Entry entry) {
    std::vector<std::string> items;
    const auto named = entry.size() == 1 ? ItemNamed::no : ItemNamed::yes;
    for (const auto& finding : entry) items.push_back(expected_in_words(finding, named));
    return distinct(items);
}

bool stand_at_one_place(Entry entry) {
    return std::ranges::all_of(
        entry, [&entry](const Finding& finding) { return finding.where == entry.front().where; });
}

// Every place that has to do with the entry, where one at the right edge would not do.
std::string places_text(Entry entry) {
    const bool one_place = stand_at_one_place(entry);
    std::vector<std::pair<std::string, std::string>> places;
    for (const auto& finding : entry) {
        for (const auto& place : finding.places) places.emplace_back(where_in_words(place.where), place.note);
        if (finding.places.empty() && !one_place && !finding.where.file.empty())
            places.emplace_back(where_in_words(finding.where), finding.item);
    }
    std::size_t width = 0;
    for (const auto& place : places) width = std::max(width, width_of(place.first));
    std::string text;
    for (const auto& [where, note] : places)
        text +=
            labelled(text.empty() ? "at" : "", fmt::format("{}  {}", padded(where, width), printable(note)));
    return text;
}

// What was found, against what; where nothing was expected, only the first.
std::string difference_text(Entry entry, const Findings& all) {
    const auto& first = entry.front();
    const auto found = found_in_words(entry, tasks_of(all, unit_of(first)));
    const auto places = places_text(entry);
    const auto where = places.empty() ? where_in_words(first.where) : std::string();
    if (first.expected.empty() && all.command == "check") return labelled_at("found", found, where) + places;
    return labelled("found", found) + labelled_at("expected", expected_in_words(entry), where) + places;
}

std::string entry_text(Entry entry, const Findings& all, std::size_t units, Colour colour) {
    const auto& first = entry.front();
    auto text = head_line(first, units, colour);
    if (first.waiver)
        return text + labelled("waived", observed_in_words(first) + ", " + waiver_in_words(*first.waiver));
    if (first.verdict != Verdict::unknown) text += difference_text(entry, all);
    return text + labelled("why", why_of(first)) + labelled("needed by", std::string(first.needed_by)) +
           labelled("do", fix_of(first, all));
}

// "minecraft   as declared   39 tasks, 54 checks" for everything in which nothing was found.
std::string well_text(const Findings& all, std::size_t units) {
    std::set<std::string> found;
    for (const auto& finding : all.findings)
        if (!finding.waiver) found.insert(unit_of(finding));
    std::size_t width = 0;
    for (const auto& one : all.examined) width = std::max(width, counted(one.tasks, "task").size());
    std::string text;
    for (const auto& one : all.examined)
        if (!found.contains(one.unit))
            text += fmt::format("{}   as declared   {:>{}}, {}\n", padded(one.unit, units),
                                counted(one.tasks, "task"), width, counted(one.checks, "check"));
    return text;
}

// Counted as the reader sees them: entries, not items.
std::string sum_text(const Findings& all, const std::vector<Entry>& entries) {
    std::vector<Finding> heads;
    std::set<std::string> units;
    for (const auto& entry : entries) {
        heads.push_back(entry.front());
        if (!entry.front().waiver) units.insert(unit_of(entry.front()));
    }
    const auto counts = counts_of(heads);
    const auto words = counts_in_words(counts);
    const auto sum = std::accumulate(counts.by_severity.begin(), counts.by_severity.end(), std::size_t{0});
    if (words.empty()) return {};
    if (sum == 0)
        return fmt::format("no findings in {}: {}\n", counted(all.examined.size(), all.units), words);
    return fmt::format("{} in {} of {}: {}\n", counted(sum, "finding"), units.size(),
                       counted(std::max(all.examined.size(), units.size()), all.units), words);
}

}  // namespace

std::string entries_text(const Findings& findings, Colour colour) {
    std::string text;
    for (const auto& entry : entries_of(findings.findings))
        text += entry_text(entry, findings, unit_width(findings), colour);
    return text;
}

std::string entry_text(const Finding& finding, const Findings& all, Colour colour) {
    return entry_text(Entry(&finding, 1), all, width_of(unit_of(finding)), colour);
}

std::string findings_text(const Findings& findings, Colour colour) {
    if (findings.change) return review_text(findings, colour);
    return entries_text(findings, colour) + well_text(findings, unit_width(findings)) +
           sum_text(findings, entries_of(findings.findings));
}

}  // namespace guard::report
