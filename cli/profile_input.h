#pragma once
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/command.h"
#include "policies/load.h"

/// How commands come by a profile: one search path, one place for --set.
namespace guard::cli {

/// Where profiles named without a path are looked up.
[[nodiscard]] std::vector<std::string> profile_search_path();

/// Directories of the profiles that guard brings, and those of $GUARD_PROFILE_PATH: what a revision may
/// extend besides its own. This machine's own profiles are not among them, so that every machine answers
/// alike.
[[nodiscard]] std::vector<std::string> shipped_profiles();

/// The search path and --set, for whoever reads any file.
[[nodiscard]] LoadOptions load_options(const Invocation& invocation);

/// The profile that `name` stands for, with everything that is wrong with it. `trust` says whose files count.
[[nodiscard]] Loaded load(const Invocation& invocation, const std::string& name, LoadOptions::Trust trust);

/// The same for a command that can't go on without: shows what is wrong on stderr and returns none.
[[nodiscard]] std::optional<Profile> load_or_complain(const Invocation& invocation, const std::string& name,
                                                      LoadOptions::Trust trust);

}  // namespace guard::cli
