#include "review/risk.h"

#include <fmt/format.h>

#include <algorithm>

#include "posture/compare.h"
#include "posture/risks.h"

namespace guard::review {
namespace {

// Of the worst risks the one that is about the very grant that changed: "mounts.suid" of "/srv suid".
const RiskTaken& telling(const std::vector<RiskTaken>& risks, const Finding& finding) {
    const auto grant = finding.item.substr(finding.item.rfind(' ') + 1);
    const auto own = std::ranges::find_if(risks, [&](const RiskTaken& one) {
        return one.rank() == risks.front().rank() && one.check->id.ends_with(grant);
    });
    return own == risks.end() || finding.check->id != "mounts" ? risks.front() : *own;
}

}  // namespace

void rank_by_risk(Finding& finding, const Posture& from, const Posture& to) {
    const bool grants = finding.verdict == Verdict::weaker || finding.verdict == Verdict::changed;
    if (!grants) return;
    const bool is_call = finding.check->id == "seccomp.access";
    // "socketcall of i386": the table knows calls, not whose they are.
    const bool is_rule =
        finding.item.starts_with("abi ") || finding.item == kDeniedCalls || finding.item == kUnknownCalls;
    const auto item = is_call && !is_rule ? finding.item.substr(0, finding.item.find(' ')) : finding.item;
    const auto shift = finding.verdict == Verdict::weaker ? Shift::looser : Shift::incomparable;
    const auto risks =
        risks_of({std::string(finding.check->id), item, shift, finding.expected, finding.observed}, from, to);
    if (risks.empty()) {
        if (is_call) finding.severity = Severity::low;
        return;
    }
    const auto& worst = telling(risks, finding);
    // Of calls and capabilities the table knows more than the field; of the others the worse of both counts.
    const bool table_decides =
        is_call || finding.check->id.starts_with("caps.") || finding.check->id == "namespaces";
    finding.severity = table_decides ? worst.rank() : std::max(worst.rank(), finding.severity);
    finding.risk = worst.check;
    finding.why = worst.check->why;
    finding.fix = worst.check->fix;
    if (!worst.needed_by.empty()) finding.fix += fmt::format("; needed by {}", worst.needed_by);
}

std::vector<Finding> new_pairs(const Posture& from, const Posture& to, const Subject& subject) {
    std::vector<Finding> pairs;
    for (const auto& risk : risks_between(from, to)) {
        if (risk.sites.size() != 2) continue;
        auto finding = raise(risk.check->id, subject, "", "");
        const auto part = [&risk](std::size_t at) {
            const auto& site = risk.sites.at(at);
            return site.item.empty() ? site.field : site.item;
        };
        finding.item = fmt::format("{} with {}", part(0), part(1));
        finding.verdict = Verdict::weaker;
        pairs.push_back(std::move(finding));
    }
    return pairs;
}

}  // namespace guard::review
