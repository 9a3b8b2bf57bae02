#include <fmt/format.h>

#include <algorithm>

#include "report/finding_words.h"
#include "report/layout.h"
#include "report/review_words.h"

namespace guard::report {
namespace {

constexpr std::size_t kRankWidth = 10;   // "critical" and two spaces
constexpr std::size_t kLabelWidth = 10;  // "shown by" and two spaces
constexpr std::size_t kMostWho = 34;

std::string labelled(std::string_view label, const std::string& text) {
    if (text.empty()) return {};
    return hanging(std::string(kRankWidth, ' ') + std::string(label), kRankWidth + kLabelWidth, text);
}

std::string head_line(ReviewEntry entry, const Findings& all, std::size_t width, Colour colour) {
    const auto& first = entry.front();
    const auto rank = rank_of(first);
    const auto indent = kRankWidth + width + 2;
    const auto title = wrap(entry_title(entry), kPageWidth - indent - first.check->id.size() - 2);
    auto text =
        two_sided(std::string(kRankWidth, ' ') + padded(who_in_words(first, all), width + 2) + title.front(),
                  first.check->id);
    text.replace(0, rank.size(), painted(rank, first.severity, colour));
    for (std::size_t i = 1; i < title.size(); ++i) text += std::string(indent, ' ') + title[i] + "\n";
    return text;
}

std::string place(ReviewEntry entry) {
    const auto where = review_where(entry.front());
    const auto lines = lines_in_words(entry);
    return where.empty() || lines.empty() ? where + lines : where + "   " + lines;
}

std::string entry_text(ReviewEntry entry, const Findings& all, std::size_t width, Colour colour) {
    const auto& first = entry.front();
    auto text = head_line(entry, all, width, colour) + labelled("where", place(entry));
    text += labelled("for", everyone_in_words(first, all));
    if (first.waiver) return text + labelled("waived", waiver_in_words(*first.waiver));
    text += labelled("means", printable(first.notes.means));
    if (first.verdict == Verdict::tighter) return text;
    text += labelled("shown by", printable(first.notes.witness));
    return text + labelled("why", why_of(first)) + labelled("do", fix_of(first, all));
}

std::string sum_text(const Findings& all) {
    const auto sum = review_sum(all);
    const auto& change = *all.change;
    std::string text;
    if (sum.findings > 0)
        text = fmt::format("{} in {} of {}: {}", counted(sum.findings, "finding"), sum.units,
                           counted(all.examined.size(), "profile"), sum.by_severity);
    else
        text = fmt::format("no findings in {}", counted(all.examined.size(), "profile"));
    if (sum.unknown > 0) text += fmt::format(", {} unknown", sum.unknown);
    if (sum.waived > 0) text += fmt::format(", {} waived", sum.waived);
    if (sum.findings > 0 && sum.lost == 0) text += "; nothing was taken away";
    return hanging("", 0, text) +
           hanging("", 0, printable(fmt::format("compared {} with {}", change.base, change.head)));
}

std::string verdict_text(const ChangeVerdict& change) {
    std::string text;
    for (const auto& note : change.notes) text += hanging("note  ", 6, printable(note));
    if (!change.required) return text + hanging("", 0, verdict_in_words(change));
    const auto answer = change.access == Access::more ? "does not hold: " + printable(change.counterexample)
                        : change.access == Access::unknown
                            ? std::string("not proved: something could not be compared")
                            : "holds: " + verdict_in_words(change);
    return text + hanging("no-new-access  ", 15, answer);
}

}  // namespace

std::string review_text(const Findings& findings, Colour colour) {
    const auto entries = review_entries(findings);
    std::size_t width = 0;
    for (const auto& entry : entries)
        width = std::max(width, std::min(width_of(who_in_words(entry.front(), findings)), kMostWho));
    std::string text;
    for (const auto& entry : entries) text += entry_text(entry, findings, width, colour);
    return text + verdict_text(*findings.change) + sum_text(findings);
}

}  // namespace guard::report
