#pragma once
#include <string>
#include <vector>

#include "policies/draft.h"
#include "policies/file_cache.h"
#include "policies/filter_build.h"
#include "policies/load.h"

namespace guard::policies {

/// Resolves [seccomp]: reads the groups that are named (and @base, which always is), turns rules into cubes,
/// takes denials away, and puts the result into the draft's posture with the origin of every call. `chain`
/// are the profile's files, parents first; with options.lint, slips among the lines of the filter are
/// findings.
void resolve_filter(Draft& draft, const std::string& profile_path, const LoadOptions& options,
                    const std::vector<const Document*>& chain,
                    std::vector<std::shared_ptr<const ReadFile>>& groups,
                    std::vector<Diagnostic>& diagnostics);

/// What is wrong with one group file and what it includes.
void check_group_file(const std::string& path, const LoadOptions& options,
                      std::vector<Diagnostic>& diagnostics);

}  // namespace guard::policies
