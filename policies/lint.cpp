#include "policies/lint.h"

#include <algorithm>
#include <iterator>

#include "posture/capability.h"
#include "posture/risks.h"
#include "posture/waivers.h"

namespace guard {
namespace {

// Told while the profile was read: slips in its lines.
Finding finding_of(const Diagnostic& diagnostic, const Subject& unit) {
    const auto where = diagnostic.marks.empty() ? Where{} : diagnostic.marks.front().where;
    auto finding = raise(diagnostic.check, unit, "", diagnostic.message, where);
    finding.item = diagnostic.item;
    if (diagnostic.marks.size() > 1)
        for (const auto& mark : diagnostic.marks) finding.places.push_back({mark.where, mark.note});
    return finding;
}

Finding finding_of(const RiskTaken& risk, const Origins& origins, const Subject& unit) {
    const auto place = [&origins](const RiskSite& site) {
        return origin_of(origins, site.field + "/" + site.item);
    };
    const auto& first = risk.sites.front();
    auto finding = raise(risk.check->id, unit, "", first.says, place(first));
    finding.item = first.item;
    finding.needed_by = risk.needed_by;
    if (risk.sites.size() > 1)
        for (const auto& site : risk.sites) finding.places.push_back({place(site), site.item});
    return finding;
}

// What is left of the permitted set when a program without file capabilities is run. capabilities(7)
std::uint64_t after_exec(const Posture& posture) {
    const auto mask = [](const Known<CapabilitySet>& set) {
        const auto* value = value_of(set);
        return value == nullptr ? 0 : value->mask;
    };
    const auto* uid = value_of(posture.identity.uid);
    const auto* bits = value_of(posture.securebits);
    const bool no_root = bits != nullptr && bits->contains("noroot") && bits->at("noroot") == Lock::held;
    const bool root_gains = uid != nullptr && uid->value == 0 && !no_root;
    return mask(posture.caps.ambient) |
           (root_gains ? mask(posture.caps.bounding) | mask(posture.caps.inheritable) : 0);
}

void lint_exec(std::vector<Finding>& findings, const Posture& posture, const Origins& origins,
               const Subject& unit) {
    const auto* permitted = value_of(posture.caps.permitted);
    if (permitted == nullptr || value_of(posture.caps.ambient) == nullptr) return;
    const auto lost = permitted->mask & ~after_exec(posture);
    for (const auto& row : kCapabilities) {
        if (((lost >> static_cast<unsigned>(row.number)) & 1U) == 0) continue;
        const std::string name(row.name);
        findings.push_back(
            raise("caps.lost-at-exec", unit, "", "held", origin_of(origins, "caps.permitted/" + name)));
        findings.back().item = name;
    }
}

bool is_raised_by_check(std::string_view id) {
    const auto has = [id](const auto& row) { return row.check.id == id; };
    return std::ranges::any_of(risks(), has) || std::ranges::any_of(risk_pairs(), has) ||
           std::ranges::find(lint_checks(), id, &Check::id) != lint_checks().end();
}

// waiver_findings knows of fields whether a waiver is used; of what check alone raises it is known here.
void add_unused(std::vector<Finding>& told, const std::vector<Finding>& findings,
                const std::vector<Waiver>& waivers, const Subject& unit) {
    for (const auto& waiver : waivers) {
        const bool used = std::ranges::any_of(
            findings, [&waiver](const Finding& finding) { return is_about(waiver, finding); });
        if (used || !is_raised_by_check(waiver.finding)) continue;
        told.push_back(raise("waiver.unused", unit, "", "by " + waiver.owner, waiver.where));
        told.back().item = waiver.what.empty() ? waiver.finding : waiver.finding + " " + waiver.what;
    }
}

}  // namespace

std::vector<Finding> lint_posture(const Posture& posture, const Origins& origins, const Subject& unit) {
    static const Posture kNothing = nothing_granted();
    std::vector<Finding> findings;
    for (const auto& risk : risks_between(kNothing, posture))
        findings.push_back(finding_of(risk, origins, unit));
    lint_exec(findings, posture, origins, unit);
    return findings;
}

std::vector<Finding> lint(const Loaded& loaded, const std::string& name, std::chrono::year_month_day today) {
    if (!loaded.profile) return {};
    const auto& profile = *loaded.profile;
    const Subject unit{.unit = name};
    auto findings = lint_posture(profile.posture, profile.origins, unit);
    for (const auto& diagnostic : loaded.diagnostics)
        if (!diagnostic.check.empty()) findings.push_back(finding_of(diagnostic, unit));
    std::ranges::move(lint_heap(profile, unit), std::back_inserter(findings));
    apply_waivers(findings, profile.waivers, today);
    auto told = waiver_findings(unit, profile.waivers, findings, today);
    add_unused(told, findings, profile.waivers, unit);
    std::ranges::move(told, std::back_inserter(findings));
    return merged(std::move(findings));
}

}  // namespace guard
