#pragma once
#include <linux/filter.h>

#include <vector>

#include "base/error.h"
#include "posture/filter/diagram.h"

namespace guard::policies {

/// A program that answers as `function` does: each word of the input is loaded once on the way and searched
/// in halves, so that a call is answered in as many steps as there are doublings of the rules, not as there
/// are rules; tests of single bits become one instruction. Parts that several ways share are there once.
/// Fails where it would be longer than the 4096 instructions that the kernel takes.
[[nodiscard]] Result<std::vector<sock_filter>> emit_filter(Diagrams& diagrams, Diagrams::Node function);

}  // namespace guard::policies
