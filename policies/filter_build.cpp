#include "policies/filter_build.h"

namespace guard::policies {

FilterRules resolve(const FilterParts& parts) {
    FilterRules rules{.calls = {},
                      .absent = parts.absent,
                      .on_denied = parts.on_denied,
                      .on_unknown = parts.on_unknown,
                      .log_denied = parts.log_denied,
                      .abis = parts.abis};
    for (const auto& [call, cubes] : parts.allow) {
        const auto denied = parts.deny.find(call);
        auto left = simplified(cubes);
        if (denied != parts.deny.end()) left = simplified(without(left, simplified(denied->second)));
        if (left.empty()) continue;
        CallRule rule{std::move(left)};
        if (rule.always()) rules.absent.erase(call);
        rules.calls.emplace(call, std::move(rule));
    }
    return rules;
}

}  // namespace guard::policies
