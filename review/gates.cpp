#include "review/gates.h"

#include <algorithm>

#include "posture/compare.h"
#include "review/filter_change.h"
#include "review/seccomp_json.h"

namespace guard::review {
namespace {

// An ABI and another way to refuse do not depend on capabilities: how many calls they touch does.
bool is_about_all(const Finding& finding) {
    return finding.item.starts_with("abi ") || finding.item == kDeniedCalls || finding.item == kUnknownCalls;
}

bool is_told(const Finding& finding, const std::vector<Finding>& told) {
    return std::ranges::any_of(told, [&finding](const Finding& one) {
        return one.check == finding.check && one.item == finding.item && one.verdict == finding.verdict &&
               (one.notes.means == finding.notes.means || is_about_all(one));
    });
}

const CallRule& rule_in(const FilterRules& rules, const std::string& call) {
    static const CallRule kNever;
    const auto row = rules.calls.find(call);
    return row == rules.calls.end() ? kNever : row->second;
}

// Of both sides only the calls that the capability makes a difference for: the others are told already.
void keep_gated(FilterRules& from, FilterRules& to, const FilterRules& plain_from,
                const FilterRules& plain_to) {
    const auto is_plain = [&](const auto& row) {
        const auto& call = row.first;
        return rule_in(from, call) == rule_in(plain_from, call) &&
               rule_in(to, call) == rule_in(plain_to, call);
    };
    std::set<std::string> plain;
    for (const auto* rules : {&from, &to})
        for (const auto& row : rules->calls)
            if (is_plain(row)) plain.insert(row.first);
    for (auto* rules : {&from, &to})
        std::erase_if(rules->calls, [&](const auto& row) { return plain.contains(row.first); });
}

const FilterRules* rules_of(const FromJson& json) { return value_of(json.profile.posture.seccomp.access); }

}  // namespace

std::vector<Finding> gated_changes(const Pair& pair, const std::vector<Finding>& told,
                                   const Subject& subject) {
    std::vector<Finding> all;
    if (pair.base == nullptr || pair.head == nullptr || !pair.base->json || !pair.head->json) return all;
    auto gates = pair.base->json->gates;
    gates.insert(pair.head->json->gates.begin(), pair.head->json->gates.end());
    for (const auto& gate : gates) {
        if (docker_capabilities().contains(gate)) continue;
        auto capabilities = docker_capabilities();
        capabilities.insert(gate);
        auto from = rules_with(*pair.base->json, capabilities);
        auto to = rules_with(*pair.head->json, capabilities);
        const auto* const plain_from = rules_of(*pair.base->json);
        const auto* const plain_to = rules_of(*pair.head->json);
        if (!from || !to || plain_from == nullptr || plain_to == nullptr) continue;
        keep_gated(*from, *to, *plain_from, *plain_to);
        for (auto& finding : filter_changes(*from, *to, subject)) {
            if (is_told(finding, told)) continue;
            finding.item += " with " + gate;
            finding.notes.witness += " with " + gate;
            all.push_back(std::move(finding));
        }
    }
    return all;
}

}  // namespace guard::review
