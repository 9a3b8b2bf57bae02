#include "report/review_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/finding_words.h"
#include "report/layout.h"

namespace guard::report {
namespace {

constexpr std::size_t kNamed = 2;  // profiles that are named beside a finding
constexpr std::size_t kItems = 8;  // items that are named in a title
constexpr std::size_t kLines = 6;  // lines that are shown

std::set<std::string> names_of(const Finding& finding) {
    std::set<std::string> names;
    for (const auto& subject : finding.subjects) names.insert(printable(subject.unit));
    return names;
}

// The title with a hole where the item stands; empty where the title does not name it, or nothing else.
std::string pattern_of(const Finding& finding) {
    auto title = title_of(finding);
    const auto item = printable(finding.item);
    const auto at = item.empty() ? std::string::npos : title.find(item);
    return at == std::string::npos ? std::string() : title.replace(at, item.size(), "\n");
}

bool same_entry(const Finding& a, const Finding& b) {
    const auto pattern = pattern_of(a);
    return !pattern.empty() && pattern == pattern_of(b) && a.check == b.check && a.severity == b.severity &&
           a.verdict == b.verdict && a.why == b.why && a.fix == b.fix && a.where.file == b.where.file &&
           a.notes.in_base == b.notes.in_base && a.expected == b.expected && a.observed == b.observed &&
           a.notes.means == b.notes.means && a.verdict != Verdict::unknown && !a.waiver && !b.waiver &&
           names_of(a) == names_of(b);
}

// "a, b and 12 more"
std::string some_of(const std::vector<std::string>& all, std::size_t most) {
    const auto shown = std::min(most, all.size());
    auto text = listed(std::span(all).first(shown));
    if (all.size() > shown) text += fmt::format(" and {} more", all.size() - shown);
    return text;
}

std::vector<std::string> distinct(std::vector<std::string> texts) {
    std::vector<std::string> once;
    for (auto& text : texts)
        if (!text.empty() && std::ranges::find(once, text) == once.end()) once.push_back(std::move(text));
    return once;
}

struct Who {
    std::string origin;               // who hands it on; empty: nobody
    std::vector<std::string> others;  // all but the origin
    bool all = false;                 // every profile that there is
};

Who who_of(const Finding& finding, const Findings& all) {
    auto names = names_of(finding);
    const auto everyone = names.size() == all.examined.size();
    const auto& origin = finding.notes.origin;
    const bool hands_on = !origin.empty() && (names.size() > 1 || !names.contains(origin));
    if (hands_on) names.erase(origin);
    return {hands_on ? printable(origin) : std::string(), {names.begin(), names.end()}, everyone};
}

}  // namespace

std::vector<ReviewEntry> review_entries(const Findings& findings) {
    std::vector<ReviewEntry> entries;
    const std::span all(findings.findings);
    for (std::size_t begin = 0; begin < all.size();) {
        auto end = begin + 1;
        while (end < all.size() && same_entry(all[begin], all[end])) ++end;
        entries.push_back(all.subspan(begin, end - begin));
        begin = end;
    }
    return entries;
}

std::string who_in_words(const Finding& finding, const Findings& all) {
    const auto who = who_of(finding, all);
    std::string others;
    if (who.all && who.others.size() > 1)
        others = fmt::format("all {}{}", who.others.size(), who.origin.empty() ? "" : " others");
    else if (who.others.size() <= kNamed)
        others = listed(who.others);
    else
        others = fmt::format("{} of {}", who.others.size(), all.examined.size());
    if (who.origin.starts_with('@') && who.all && who.others.size() > 1)
        others = fmt::format("all {}", who.others.size());
    return who.origin.empty() ? others : fmt::format("{} -> {}", who.origin, others);
}

std::string everyone_in_words(const Finding& finding, const Findings& all) {
    const auto who = who_of(finding, all);
    return who.others.size() > kNamed ? listed(who.others) : std::string();
}

std::string entry_title(ReviewEntry entry) {
    auto title = title_of(entry.front());
    const auto item = printable(entry.front().item);
    const auto at = entry.size() > 1 ? title.find(item) : std::string::npos;
    if (at == std::string::npos) return title;
    std::vector<std::string> items;
    for (const auto& finding : entry) items.push_back(printable(finding.item));
    return title.replace(at, item.size(), some_of(distinct(std::move(items)), kItems));
}

std::string lines_in_words(ReviewEntry entry) {
    std::vector<std::string> taken;
    std::vector<std::string> added;
    for (const auto& finding : entry) {
        taken.push_back(printable(finding.notes.taken));
        added.push_back(printable(finding.notes.added));
    }
    taken = distinct(std::move(taken));
    added = distinct(std::move(added));
    std::vector<std::string> parts;
    if (!taken.empty()) parts.push_back("- " + some_of(taken, kLines));
    if (!added.empty()) parts.push_back("+ " + some_of(added, kLines));
    return fmt::format("{}", fmt::join(parts, "   "));
}

std::string review_where(const Finding& finding) {
    if (finding.where.file.empty()) return {};
    return printable(format_where(finding.where)) + (finding.notes.in_base ? " in the base" : "");
}

std::string verdict_in_words(const ChangeVerdict& verdict) {
    const auto counterexample = printable(verdict.counterexample);
    switch (verdict.access) {
        case Access::same: return "no change in what is allowed (proved)";
        case Access::no_more: return "no new access (proved)";
        case Access::more: return fmt::format("new access: {}", counterexample);
        case Access::unknown: return "nobody can tell: something could not be compared";
    }
    return {};
}

ReviewSum review_sum(const Findings& findings) {
    ReviewSum sum;
    std::vector<Finding> heads;
    std::set<std::string> units;
    for (const auto& entry : review_entries(findings)) {
        const auto& first = entry.front();
        heads.push_back(first);
        if (first.verdict == Verdict::tighter && !first.waiver) ++sum.lost;
        if (!first.waiver && first.where.file != ".guard.toml") units.merge(names_of(first));
    }
    const auto counts = counts_of(heads);
    std::vector<std::string> parts;
    for (std::size_t rank = counts.by_severity.size(); rank-- > 1;) {
        sum.findings += counts.by_severity.at(rank);
        if (const auto count = counts.by_severity.at(rank); count > 0)
            parts.push_back(fmt::format("{} {}", count, severity_name(static_cast<Severity>(rank))));
    }
    sum.by_severity = listed(parts);
    sum.waived = counts.waived;
    sum.unknown = counts.unknown;
    sum.units = units.size();
    return sum;
}

}  // namespace guard::report
