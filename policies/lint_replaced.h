#pragma once
#include <vector>

#include "policies/extend.h"

namespace guard::policies {

/// Denials that a file of the chain drops by `replace` and that nothing says again: each is a finding that
/// shows what was denied and what dropped it.
void lint_replaced(const Chain& chain, const std::vector<Setting>& settings,
                   std::vector<Diagnostic>& diagnostics);

}  // namespace guard::policies
