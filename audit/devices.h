#pragma once
#include "audit/shared_facts.h"
#include "posture/posture.h"

namespace guard::audit {

/// Devices within reach beyond the harmless ones: files below /dev, and (cgroup v1) rules of the device
/// cgroup, which would let one be used once it is there. A declared device is named as declared.
[[nodiscard]] Known<Grants<std::string>> devices_of(const TreeFacts& tree, const CgroupPaths& at,
                                                    const SharedFacts& shared,
                                                    const Known<Grants<std::string>>& launched);

}  // namespace guard::audit
