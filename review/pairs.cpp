#include "review/pairs.h"

#include <algorithm>
#include <functional>
#include <set>

#include "policies/sources.h"

namespace guard::review {
namespace {

using Same = std::function<bool(const Member& base, const Member& head)>;

}  // namespace

std::vector<Pair> pairs_of(const Side& base, const Side& head) {
    const bool only_one = base.members.size() == 1 && head.members.size() == 1;
    const std::vector<Same> ways{
        [](const Member& one, const Member& other) { return one.path == other.path; },
        [](const Member& one, const Member& other) {
            return !one.digest.empty() && one.digest == other.digest;
        },
        [](const Member& one, const Member& other) {
            return policies::stem_of(one.path) == policies::stem_of(other.path);
        },
        [only_one](const Member&, const Member&) { return only_one; },
    };
    std::vector<Pair> pairs;
    for (const auto& member : head.members) pairs.push_back({nullptr, &member});
    std::set<const Member*> taken;
    for (const auto& same : ways)
        for (auto& pair : pairs) {
            if (pair.base != nullptr) continue;
            const auto found = std::ranges::find_if(base.members, [&](const Member& member) {
                return !taken.contains(&member) && same(member, *pair.head);
            });
            if (found == base.members.end()) continue;
            pair.base = &*found;
            taken.insert(pair.base);
        }
    for (const auto& member : base.members)
        if (!taken.contains(&member)) pairs.push_back({&member, nullptr});
    return pairs;
}

}  // namespace guard::review
