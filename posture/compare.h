#pragma once
#include <string_view>
#include <vector>

#include "posture/posture.h"

namespace guard {

/// Items of changes that are about a filter as a whole, beside those named by a call.
inline constexpr std::string_view kDeniedCalls = "a call that is not allowed";
inline constexpr std::string_view kUnknownCalls = "a call newer than guard";

/// Everything that differs from `from` to `to`, one Change a right, lock, bound or path; empty where they are
/// equal. Serves audit (launched, observed), review (base, head) and check, explain (nothing granted,
/// declared) alike.
[[nodiscard]] std::vector<Change> compare(const Posture& from, const Posture& to);

}  // namespace guard
