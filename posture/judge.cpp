#include <algorithm>
#include <map>
#include <tuple>

#include "posture/compare.h"
#include "posture/finding.h"

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

const Waiver* waiver_for(const Case& judged, const Change& change, std::chrono::year_month_day today) {
    if (judged.waivers == nullptr) return nullptr;
    const auto fits = [&](const Waiver& waiver) {
        const bool names_it =
            waiver.what.empty() || waiver.what == change.item || change.item.starts_with(waiver.what + " ");
        return waiver.finding == change.field && names_it && (!waiver.expires || *waiver.expires >= today);
    };
    const auto row = std::ranges::find_if(*judged.waivers, fits);
    return row == judged.waivers->end() ? nullptr : &*row;
}

Finding finding_of(const Case& judged, Change change, Against against, std::chrono::year_month_day today) {
    const auto& check = check_of(change.field);
    Finding finding;
    finding.check = &check;
    finding.severity = change.shift == Shift::tighter ? check.tighter : check.looser;
    finding.verdict = verdict_of(change.shift, against);
    if (const auto* waiver = waiver_for(judged, change, today)) finding.waiver = *waiver;
    if (judged.origins != nullptr)
        finding.where =
            origin_of(*judged.origins, change.item.empty() ? change.field : change.field + "/" + change.item);
    finding.item = std::move(change.item);
    finding.expected = std::move(change.from);
    (change.shift == Shift::unknown ? finding.reason : finding.observed) = std::move(change.to);
    finding.subjects = {judged.subject};
    return finding;
}

auto meaning(const Finding& finding) {
    const auto& unit =
        finding.subjects.empty() ? finding.check->id : std::string_view(finding.subjects.front().unit);
    return std::tuple{static_cast<int>(Severity::critical) - static_cast<int>(finding.severity),
                      unit,
                      finding.check->id,
                      std::string_view(finding.item),
                      finding.verdict,
                      std::string_view(finding.expected),
                      std::string_view(finding.observed),
                      std::string_view(finding.reason)};
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
    constexpr std::array<std::string_view, 6> kNames{"violation", "weaker",  "changed",
                                                     "tighter",   "unknown", "not-applicable"};
    return kNames.at(static_cast<std::size_t>(verdict));
}

std::vector<Finding> judge(std::span<const Case> cases, Against against, std::chrono::year_month_day today) {
    std::vector<Finding> findings;
    for (const auto& judged : cases)
        for (auto& change : compare(*judged.from, *judged.to)) {
            auto finding = finding_of(judged, std::move(change), against, today);
            if (finding.severity != Severity::none) findings.push_back(std::move(finding));
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

std::vector<Finding> merged(std::vector<Finding> findings) {
    std::ranges::stable_sort(findings,
                             [](const Finding& a, const Finding& b) { return meaning(a) < meaning(b); });
    std::vector<Finding> groups;
    for (auto& finding : findings) {
        if (!groups.empty() && meaning(groups.back()) == meaning(finding))
            std::ranges::move(finding.subjects, std::back_inserter(groups.back().subjects));
        else
            groups.push_back(std::move(finding));
    }
    return groups;
}

}  // namespace guard
