#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "report/finding_words.h"
#include "report/layout.h"
#include "report/markdown.h"
#include "report/review_words.h"

// One comment, to be updated in place: its first line is the marker. The verdict comes first, then what a
// reader has to know, then everything else, folded away. What does not fit is counted.
namespace guard::report {
namespace {

constexpr std::size_t kRowsEnd = 30'000;  // bytes of the comment that the table may take
constexpr std::size_t kTail = 600;        // for what stands behind the details
constexpr std::size_t kReasons = 5;

bool is_loud(const Finding& finding) { return finding.severity >= Severity::high && !finding.waiver; }

std::string headline(const Findings& all) {
    const auto sum = review_sum(all);
    const auto profiles = counted(all.examined.size(), "profile");
    switch (all.change->access) {
        case Access::same:
            return sum.findings == 0
                       ? fmt::format("no new access (proved), no change in what {} may do", profiles)
                       : fmt::format("no new access (proved), {}", sum.by_severity);
        case Access::no_more:
            return sum.findings == 0 ? fmt::format("no new access (proved) in {}", profiles)
                                     : fmt::format("no new access (proved); {} in {} of {}", sum.by_severity,
                                                   sum.units, profiles);
        case Access::more:
            return fmt::format("grants new access: {}, in {} of {}",
                               sum.by_severity.empty() ? "waived" : sum.by_severity, sum.units, profiles);
        case Access::unknown: return fmt::format("could not compare everything: {} unknown", sum.unknown);
    }
    return {};
}

// What a newcomer asks first.
std::string worry(const Findings& all) {
    const auto entries = review_entries(all);
    const auto count = [&entries](auto is) {
        return static_cast<std::size_t>(
            std::ranges::count_if(entries, [&is](const ReviewEntry& entry) { return is(entry.front()); }));
    };
    const auto loud =
        count([](const Finding& one) { return is_loud(one) && one.verdict != Verdict::unknown; });
    const auto unknown = count([](const Finding& one) { return one.verdict == Verdict::unknown; });
    if (loud > 0)
        return fmt::format("**Do not merge this unread**: {} at risk high or above.\n",
                           counted(loud, "finding"));
    if (unknown > 0) return "**Look closer**: not everything could be compared.\n";
    if (all.change->access == Access::more)
        return "**Worth a look**: it grants more, nothing of high risk.\n";
    return "**No need to worry**: nobody may do more than before.\n";
}

std::string answer(const Findings& all) {
    const auto& change = *all.change;
    auto text = worry(all);
    if (change.access == Access::more)
        text +=
            fmt::format("{}For example: {}.\n", change.required ? "`no-new-access` **does not hold**. " : "",
                        markdown_words(change.counterexample));
    else if (change.access == Access::unknown)
        text += change.required ? "`no-new-access` is **not proved**: what is unknown may hide new access.\n"
                                : "What is unknown may hide new access.\n";
    else if (change.required)
        text += "`no-new-access` holds.\n";
    text += markdown_words(fmt::format("Compared {} with {}.", change.base, change.head)) + "\n";
    for (const auto& note : change.notes) text += fmt::format("Note: {}.\n", markdown_words(note));
    return text;
}

std::string row(ReviewEntry entry, const Findings& all) {
    const auto& first = entry.front();
    const auto rank = rank_of(first);
    const auto answer = first.notes.means.empty() ? std::string() : ": " + markdown_words(first.notes.means);
    const auto what = first.verdict == Verdict::unknown ? markdown_words(why_of(first))
                                                        : markdown_words(entry_title(entry)) + answer;
    const auto where = first.where.line == 0 ? printable(first.where.file)
                                             : fmt::format("{}:{}", first.where.file, first.where.line);
    return fmt::format("| {} | {} | {} | {}{} |\n", is_loud(first) ? fmt::format("**{}**", rank) : rank,
                       markdown_words(who_in_words(first, all)), what, markdown_code(where),
                       first.notes.in_base ? " (base)" : "");
}

// Rows while there is room, worst first; then how many there are besides.
std::string table(const std::vector<ReviewEntry>& entries, const Findings& all) {
    std::string text = "\n| risk | profile | what changes | where |\n|---|---|---|---|\n";
    std::size_t shown = 0;
    for (const auto& entry : entries) {
        const auto next = row(entry, all);
        if (text.size() + next.size() > kRowsEnd) break;
        text += next;
        ++shown;
    }
    if (shown < entries.size())
        text += fmt::format("\n{} more, of no higher risk, had no room here.\n", entries.size() - shown);
    return text;
}

// Why the worst ones matter: one sentence for each reason, however many rows have it.
std::string reasons(const std::vector<ReviewEntry>& entries, const Findings& all) {
    std::string text;
    std::set<std::string> told;
    for (const auto& entry : entries) {
        const auto& first = entry.front();
        const auto why = why_of(first);
        const bool counts = first.severity >= Severity::medium && first.verdict != Verdict::unknown &&
                            first.verdict != Verdict::tighter && !first.waiver;
        if (!counts || told.size() >= kReasons || !told.insert(why).second) continue;
        text += fmt::format("\n**{}**: {}. To do: {}.\n", markdown_words(entry_title(entry)),
                            markdown_words(why), markdown_words(fix_of(first, all)));
    }
    return text;
}

std::string detail(ReviewEntry entry, const Findings& all) {
    const auto& first = entry.front();
    auto text =
        fmt::format("\n- **{}** {}: {} ({})\n", rank_of(first), markdown_words(who_in_words(first, all)),
                    markdown_words(entry_title(entry)), markdown_code(first.check->id));
    const auto line = [&text](std::string_view label, const std::string& words) {
        if (!words.empty()) text += fmt::format("  - {} {}\n", label, words);
    };
    line("for", markdown_words(everyone_in_words(first, all)));
    line("where", markdown_code(review_where(first)));
    line("line", markdown_code(lines_in_words(entry)));
    line("means", markdown_words(first.notes.means));
    line("shown by", markdown_code(first.notes.witness));
    if (first.waiver) line("waived", markdown_words(waiver_in_words(*first.waiver)));
    if (first.verdict != Verdict::tighter && !first.waiver) line("why", markdown_words(why_of(first)));
    return text;
}

std::string details(const std::vector<ReviewEntry>& entries, const Findings& all, std::size_t room) {
    std::string text = fmt::format("\n<details><summary>{} in full, each with what shows it</summary>\n",
                                   counted(entries.size(), "finding"));
    std::size_t shown = 0;
    for (const auto& entry : entries) {
        const auto next = detail(entry, all);
        if (text.size() + next.size() + kTail > room) break;
        text += next;
        ++shown;
    }
    if (shown < entries.size())
        text += fmt::format("\n{} more had no room here; `guard review` shows them all.\n",
                            entries.size() - shown);
    return text + "\n</details>\n";
}

}  // namespace

std::string review_markdown(const Findings& findings) {
    const auto entries = review_entries(findings);
    auto text =
        fmt::format("<!-- guard review -->\n### guard: {}\n\n{}", headline(findings), answer(findings));
    if (entries.empty()) return text;
    text += table(entries, findings) + reasons(entries, findings);
    return text + details(entries, findings, kMostComment - text.size());
}

}  // namespace guard::report
