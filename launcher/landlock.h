#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "posture/posture.h"

/// File rules that hold whatever the mounts say: derived from them, so that the two cannot differ.
/// landlock(7)
namespace guard::launcher {

/// What may be done with everything beneath a place inside.
struct LandlockRule {
    std::string place;
    std::uint64_t access = 0;  ///< LANDLOCK_ACCESS_FS_...
};

struct LandlockPlan {
    bool enabled = false;
    std::uint64_t files = 0;         ///< rights that the domain governs
    std::uint64_t network = 0;       ///< the same for ports; 0: not governed
    std::uint64_t scoped = 0;        ///< what may not leave the domain
    std::size_t attribute_size = 0;  ///< of landlock_ruleset_attr: a larger one is E2BIG on an older kernel
    std::vector<LandlockRule> rules;
    std::vector<std::uint16_t> bind_ports;
    std::vector<std::string> gaps;  ///< what a newer kernel would hold too, in words
};

/// The version of Landlock that this kernel has; 0 where it has none or it is switched off.
[[nodiscard]] int landlock_abi();

/// Rules for a tree of mounts: everything may be read, what a mount grants may be written or run, and nothing
/// else. `posture.landlock` adds paths. Ports: only `posture.network.listen` and published ones can be bound.
[[nodiscard]] LandlockPlan plan_landlock(const Posture& posture, const MountTree& mounts, int abi);

}  // namespace guard::launcher
