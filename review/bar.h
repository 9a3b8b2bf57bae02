#pragma once
#include <vector>

#include "posture/finding.h"
#include "review/side.h"

namespace guard::review {

/// Where the head asks less of a change than the base: findings `review.requirement`, at the line of the
/// base.
[[nodiscard]] std::vector<Finding> lowered_bar(const Requirements& base, const Requirements& head,
                                               const Lines& base_lines, const Lines& head_lines);

}  // namespace guard::review
