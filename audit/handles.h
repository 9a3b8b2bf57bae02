#pragma once
#include "audit/observe.h"
#include "posture/posture.h"

namespace guard::audit {

/// What a process holds open that leads out of its container, in words. What the launched filter lets a
/// program make for itself is no finding.
[[nodiscard]] Handles handles_of(const SeenTask& task, const Frame& frame, const Posture& launched);

}  // namespace guard::audit
