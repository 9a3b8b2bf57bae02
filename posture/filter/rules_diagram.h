#pragma once
#include "base/error.h"
#include "posture/filter/diagram.h"
#include "posture/filter_rules.h"

namespace guard {

/// What declared rules answer for every input: the same meaning as declared_answer, without any compiler.
/// Fails with "not analysed" where the arena's limits are not enough.
[[nodiscard]] Result<Diagrams::Node> diagram_of(Diagrams& diagrams, const FilterRules& rules);

/// The condition that the arguments are in one of the cubes, bits outside of `argument_bits` counting as 0.
[[nodiscard]] Diagrams::Node condition_of(Diagrams& diagrams, const std::vector<Cube>& cubes,
                                          std::uint64_t argument_bits);

}  // namespace guard
