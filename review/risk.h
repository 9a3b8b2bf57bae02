#pragma once
#include <vector>

#include "posture/finding.h"

namespace guard::review {

/// Ranks a finding that grants something by the table of risks: severity, why and what to do are those of the
/// worst risk that it brings. A call that brings none is worth little by itself.
void rank_by_risk(Finding& finding, const Posture& from, const Posture& to);

/// Two rights that are worse together than each alone, where the head has both and the base did not.
[[nodiscard]] std::vector<Finding> new_pairs(const Posture& from, const Posture& to, const Subject& subject);

}  // namespace guard::review
