#pragma once
#include <vector>

#include "posture/finding.h"
#include "posture/record.h"

namespace guard::audit {

/// Settings of this machine that matter to a container, each only where the container's own posture does not
/// make it harmless: a kernel that lets everybody trace is no finding for one whose filter has no ptrace.
[[nodiscard]] std::vector<Finding> host_findings(const Record& record);

}  // namespace guard::audit
