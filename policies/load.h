#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "posture/diagnostic.h"
#include "posture/profile.h"

namespace guard {
namespace policies {
class FileCache;
class Files;
}  // namespace policies

struct LoadOptions {
    std::vector<std::string> search_path;  ///< directories, the first wins; groups are in their `groups/`
    std::vector<std::string> sets;         ///< KEY=VALUE of --set, in order
    /// What acts on a profile takes owner_only: a file that somebody else can change is refused. What only
    /// looks takes any, and such a file is a warning.
    enum class Trust { any, owner_only } trust = Trust::any;
    const policies::Files* files = nullptr;  ///< where all of it is read from (sources.h); null: the disk
    /// Whether slips that are no errors are looked for, as `check` does: see policies/lint.h.
    enum class Lint : bool { no, yes } lint = Lint::no;
    /// Files that were read for an earlier profile of the same command, from the same `files`; none: this
    /// load reads its own.
    std::shared_ptr<policies::FileCache> cache;
};

/// For LoadOptions::cache of one command.
[[nodiscard]] std::shared_ptr<policies::FileCache> make_file_cache();

/// A profile where there is no error among the diagnostics; warnings and notes stand beside it.
struct Loaded {
    std::optional<Profile> profile;
    std::vector<Diagnostic> diagnostics;
};

/// Reads a profile with every ancestor and group. A text with a `/` or ending in `.toml` is a path, any other
/// a name on the search path. All errors come at once, in the order of the files; a profile that has one is
/// not there at all.
[[nodiscard]] Loaded load_profile(const std::string& name_or_path, const LoadOptions& options);

/// $GUARD_PROFILE_PATH (`:` between directories), ~/.config/guard/profiles, /etc/guard/profiles,
/// PREFIX/share/guard/profiles.
[[nodiscard]] std::vector<std::string> default_search_path(const std::string& install_prefix);

/// Names of the profiles on the search path, sorted, each once.
[[nodiscard]] std::vector<std::string> profile_names(const std::vector<std::string>& search_path);

/// Reads a group file alone: what is wrong with it. For `check` of group files and for tests.
[[nodiscard]] std::vector<Diagnostic> check_group(const std::string& path, const LoadOptions& options);

}  // namespace guard
