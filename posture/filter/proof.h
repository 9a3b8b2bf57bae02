#pragma once
#include <linux/filter.h>

#include <span>

#include "base/error.h"
#include "posture/filter_rules.h"

namespace guard {

/// Proves that a filter answers as declared, for every call and every argument: the program is run with the
/// arguments left open, each branch keeping the exact set of arguments that take it. Foreign ABIs must be
/// killed; where the rules let one in, that one is not looked at. Fails with a call that is answered
/// otherwise, or where the program does something that no compiler of ours emits.
[[nodiscard]] Result<void> prove_filter(const FilterRules& rules, std::span<const sock_filter> program);

}  // namespace guard
