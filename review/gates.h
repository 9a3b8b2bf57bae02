#pragma once
#include <vector>

#include "posture/finding.h"
#include "review/pairs.h"

namespace guard::review {

/// What a change of a seccomp profile allows or refuses only to a container that holds a capability which the
/// profile asks for, beyond docker's defaults: each capability is tried by itself. `told` are the findings
/// for the defaults, which are not told again.
[[nodiscard]] std::vector<Finding> gated_changes(const Pair& pair, const std::vector<Finding>& told,
                                                 const Subject& subject);

}  // namespace guard::review
