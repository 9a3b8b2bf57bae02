#pragma once
#include "audit/observe.h"
#include "posture/posture.h"

namespace guard::audit {

/// What a process runs and with what memory, in words.
[[nodiscard]] Program program_of(const SeenTask& task, const Frame& frame, const TreeFacts& tree,
                                 const Posture& launched);

}  // namespace guard::audit
