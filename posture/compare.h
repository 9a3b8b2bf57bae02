#pragma once
#include <vector>

#include "posture/posture.h"

namespace guard {

/// Everything that differs from `from` to `to`, one Change a right, lock, bound or path; empty where they are
/// equal. Serves audit (launched, observed), review (base, head) and check, explain (nothing granted,
/// declared) alike.
[[nodiscard]] std::vector<Change> compare(const Posture& from, const Posture& to);

}  // namespace guard
