#pragma once
#include <linux/filter.h>

#include <span>

#include "base/error.h"
#include "posture/filter/diagram.h"
#include "posture/filter_rules.h"

namespace guard {

/// Proves that a filter answers as declared for every input: any ABI, number and arguments. Fails with a call
/// that is answered otherwise, where the kernel would refuse the program, and with "not analysed" where it
/// calculates beyond the limits of a diagram.
[[nodiscard]] Result<void> prove_filter(const FilterRules& rules, std::span<const sock_filter> program);
/// The same, where the diagram of the rules is there already.
[[nodiscard]] Result<void> prove_filter(Diagrams& diagrams, Diagrams::Node declared,
                                        std::span<const sock_filter> program);

}  // namespace guard
