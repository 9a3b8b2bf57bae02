#pragma once
#include "review/git.h"
#include "review/review.h"
#include "review/side.h"

namespace guard::review {

/// Both sides, opened: which trees, and where profiles are asked for in each.
struct Revisions {
    std::unique_ptr<Git> git;  ///< outlives the trees
    Side base, head;
    std::vector<std::string> base_paths, head_paths;  ///< empty: as .guard.toml says
};

/// Finds what `base` and `head` of the request mean. A path is what begins with "/" or "." or ends in .toml
/// or .json, or exists and is no revision; a name that is both is refused.
[[nodiscard]] Result<Revisions> open_revisions(const Request& request);

}  // namespace guard::review
