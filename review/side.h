#pragma once
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "policies/requirements.h"
#include "posture/diagnostic.h"
#include "posture/profile.h"
#include "review/json_input.h"
#include "review/tree.h"

namespace guard::review {

/// One profile of one side.
struct Member {
    std::string unit;    ///< what findings call it: its path below the folder of profiles, without ".toml"
    std::string path;    ///< in the tree
    std::string digest;  ///< of its own file
    std::optional<Profile> profile;  ///< none where it has an error
    std::vector<Diagnostic> diagnostics;
    std::optional<FromJson> json;  ///< where it is no TOML; `profile` is empty then
};

/// One side of a review: a tree and the profiles in it.
struct Side {
    std::string name;      ///< "the base", "the head"
    std::string says;      ///< what was asked for: "origin/main (3f9c2a1)", "the work tree"
    std::string root;      ///< absolute: where the tree's paths begin on disk, or would
    bool is_file = false;  ///< one file was asked for: what lies beside it asks for nothing
    std::unique_ptr<Tree> tree;
    std::vector<std::string> shipped;
    std::vector<Member> members;
    std::vector<Diagnostic> diagnostics;  ///< about no profile of its own
};

/// Reads .guard.toml at the top; an empty file's where there is none. Its errors go to the side's
/// diagnostics.
[[nodiscard]] Requirements requirements_of(Side& side);

/// Fills `members` with every profile below `paths`: *.toml but in folders named groups, or hidden ones; a
/// path may be a file too, also JSON. A path that is not there holds none.
void read_members(Side& side, const std::vector<std::string>& paths,
                  const std::set<std::string>& json_capabilities);

/// The lines of a file of this side, or of a shipped one; empty where it can't be read.
class Lines {
public:
    explicit Lines(const Side& side) : side_(&side) {}
    [[nodiscard]] const std::vector<std::string>& of(const std::string& path) const;

private:
    const Side* side_;
    mutable std::map<std::string, std::vector<std::string>> read_;
};

}  // namespace guard::review
