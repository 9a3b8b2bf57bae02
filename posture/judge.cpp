#include <algorithm>
#include <map>
#include <tuple>

#include "posture/compare.h"
#include "posture/finding.h"
#include "posture/waivers.h"

namespace guard {
namespace {

struct VerdictRow {
    Shift shift;
    Verdict against_profile, against_earlier;
};
constexpr auto kVerdicts = std::to_array<VerdictRow>({
    {Shift::looser, Verdict::violation, Verdict::weaker},
    {Shift::incomparable, Verdict::violation, Verdict::changed},
    {Shift::tighter, Verdict::tighter, Verdict::tighter},
    {Shift::unknown, Verdict::unknown, Verdict::unknown},
});

Verdict verdict_of(Shift shift, Against against) {
    const auto* const row = std::ranges::find(kVerdicts, shift, &VerdictRow::shift);
    return against == Against::profile ? row->against_profile : row->against_earlier;
}

Finding finding_of(const Case& judged, Change change, Against against) {
    const auto& check = check_of(change.field);
    Finding finding;
    finding.check = &check;
    finding.severity = change.shift == Shift::tighter ? check.tighter : check.looser;
    finding.verdict = verdict_of(change.shift, against);
    if (judged.origins != nullptr)
        finding.where =
            origin_of(*judged.origins, change.item.empty() ? change.field : change.field + "/" + change.item);
    finding.item = std::move(change.item);
    finding.expected = std::move(change.from);
    (change.shift == Shift::unknown ? finding.reason : finding.observed) = std::move(change.to);
    finding.subjects = {judged.subject};
    return finding;
}

auto meaning(const Finding& finding, Units units) {
    const auto& unit = finding.subjects.empty() || units == Units::together
                           ? finding.check->id
                           : std::string_view(finding.subjects.front().unit);
    return std::tuple{static_cast<int>(Severity::critical) - static_cast<int>(finding.severity),
                      unit,
                      finding.check->id,
                      std::string_view(finding.where.file),
                      units == Units::together ? finding.where.line : 0,
                      std::string_view(finding.item),
                      finding.verdict,
                      std::string_view(finding.expected),
                      std::string_view(finding.observed),
                      std::string_view(finding.reason),
                      std::string_view(finding.notes.means),
                      std::string_view(finding.waiver ? finding.waiver->reason : std::string_view())};
}

// Whose own line it is has nobody to inherit it from; the others say who hands it on.
void add_to(Finding& group, Finding&& finding) {
    std::ranges::move(finding.subjects, std::back_inserter(group.subjects));
    if (group.notes.origin.empty()) group.notes.origin = std::move(finding.notes.origin);
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
    constexpr std::array<std::string_view, 6> kNames{"violation", "weaker",  "changed",
                                                     "tighter",   "unknown", "not-applicable"};
    return kNames.at(static_cast<std::size_t>(verdict));
}

std::vector<Finding> judge(std::span<const Case> cases, Against against, std::chrono::year_month_day today) {
    std::vector<Finding> findings;
    for (const auto& judged : cases) {
        std::vector<Finding> own;
        for (auto& change : compare(*judged.from, *judged.to)) {
            auto finding = finding_of(judged, std::move(change), against);
            if (finding.severity != Severity::none) own.push_back(std::move(finding));
        }
        if (judged.waivers != nullptr) apply_waivers(own, *judged.waivers, today);
        std::ranges::move(own, std::back_inserter(findings));
    }
    return merged(std::move(findings));
}

Finding raise(std::string_view check_id, Subject subject, std::string expected, std::string observed,
              Where where) {
    Finding finding;
    finding.check = &check_of(check_id);
    finding.severity = finding.check->looser;
    finding.verdict = Verdict::changed;
    finding.expected = std::move(expected);
    finding.observed = std::move(observed);
    finding.where = std::move(where);
    finding.subjects = {std::move(subject)};
    return finding;
}

Finding raise_unknown(std::string_view check_id, Subject subject, std::string reason) {
    auto finding = raise(check_id, std::move(subject), "", "");
    finding.verdict = Verdict::unknown;
    finding.reason = std::move(reason);
    return finding;
}

std::vector<Finding> merged(std::vector<Finding> findings, Units units) {
    std::ranges::stable_sort(findings, [units](const Finding& a, const Finding& b) {
        return meaning(a, units) < meaning(b, units);
    });
    std::vector<Finding> groups;
    for (auto& finding : findings) {
        if (!groups.empty() && meaning(groups.back(), units) == meaning(finding, units))
            add_to(groups.back(), std::move(finding));
        else
            groups.push_back(std::move(finding));
    }
    return groups;
}

}  // namespace guard
