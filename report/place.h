#pragma once
#include <optional>
#include <string>

#include "report/findings.h"

/// Where forges find what a finding points at: they name a file by its path below the root of the work tree.
namespace guard::report {

/// A line of a file. Counts from 1.
struct Place {
    std::string path;
    unsigned line = 1, column = 1;
};

/// `file` relative to the root of the tree ("profiles/base.toml"), or absolute where it lies outside or there
/// is no tree. No "." and no ".." is left.
[[nodiscard]] std::string path_in_tree(const std::string& file, const Tree& tree);

/// Where the finding is written; what nobody wrote is found at the start of its profile, where there is one.
[[nodiscard]] std::optional<Place> place_of(const Finding& finding, const Findings& all);

/// `path` as a URI reference: a relative one stays relative, an absolute one becomes file:///... RFC 3986
[[nodiscard]] std::string uri_of(const std::string& path);

}  // namespace guard::report
