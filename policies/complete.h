#pragma once
#include <set>
#include <string>
#include <vector>

#include "policies/draft.h"
#include "posture/diagnostic.h"

namespace guard::policies {

/// Paths that are said wrongly somewhere: their errors are told, and nothing is concluded from them.
using Broken = std::set<std::string>;

/// Puts together what several keys decide: capability sets, id maps, mounts, interfaces.
void complete(Draft& draft, const Broken& broken, std::vector<Diagnostic>& diagnostics);

/// Keys that contradict each other, each pair with both places; keys that have no effect beside another one
/// are warnings.
void validate(const Draft& draft, const std::vector<Setting>& settings, const Broken& broken,
              std::vector<Diagnostic>& diagnostics);

}  // namespace guard::policies
