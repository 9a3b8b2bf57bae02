#pragma once
#include <vector>

#include "policies/filter_entry.h"

namespace guard::policies {

/// Slips among the lines of [seccomp] of one profile: calls that every program needs and that are denied,
/// lines without effect, a denied call whose twin is left open, conditions on the wrong half of an argument,
/// rules that allow everything together. `chain` are the profile's own files, parents first: a group is its
/// author's to mend, so only what a file of the chain says is told, with every place that has to do with it.
void lint_filter(const std::vector<FilterEntry>& entries, const FilterRules& rules,
                 const std::vector<const Document*>& chain, std::vector<Diagnostic>& diagnostics);

}  // namespace guard::policies
