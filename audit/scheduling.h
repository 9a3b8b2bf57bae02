#pragma once
#include "audit/observe.h"
#include "posture/posture.h"

namespace guard::audit {

/// How a thread is scheduled. Cores are told against those that its cgroup has, else all that are online.
[[nodiscard]] Scheduling scheduling_of(const SeenTask& task, const SharedFacts& shared);

}  // namespace guard::audit
