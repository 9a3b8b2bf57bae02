#pragma once
#include <vector>

#include "audit/scan.h"
#include "posture/finding.h"
#include "posture/record.h"

namespace guard::audit {

/// Set-user-id files and files with capabilities on every mount of the container that may be written, or on
/// which such files work. Walks whole file trees: only where asked for. `folder` is /proc/PID of a task of
/// it.
[[nodiscard]] std::vector<Finding> risky_files(const Record& record, int folder);

}  // namespace guard::audit
