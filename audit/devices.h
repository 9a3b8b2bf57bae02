#pragma once
#include "audit/shared_facts.h"
#include "posture/posture.h"
#include "posture/record.h"

namespace guard::audit {

/// null zero full random urandom tty ptmx and pseudo-terminals; `number` as "c 1:3".
[[nodiscard]] bool is_harmless_device(std::string_view number);

/// Devices within reach beyond the harmless ones: files below /dev, and rules of the device
/// cgroup, which would let one be used once it is there; on v2, any where the program that was loaded at the
/// launch does not decide any more. A declared device is named as declared.
[[nodiscard]] Known<Grants<std::string>> devices_of(const TreeFacts& tree, const CgroupPaths& at,
                                                    const SharedFacts& shared, const Bindings& launch,
                                                    const Known<Grants<std::string>>& launched);

}  // namespace guard::audit
