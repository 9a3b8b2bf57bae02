#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "posture/change_verdict.h"
#include "posture/diagnostic.h"
#include "posture/finding.h"

/// What does a change newly allow? Two sides of a repository are resolved into postures and compared.
namespace guard::review {

struct Request {
    std::string folder = ".";          ///< whose repository, and what relative paths begin at
    std::string base, head;            ///< a revision, a directory or a file; empty: the defaults
    std::vector<std::string> paths;    ///< profiles to look at; empty: as .guard.toml of the base says
    std::vector<std::string> shipped;  ///< directories of profiles that every revision may extend
    std::chrono::year_month_day today{};
    bool require_no_new_access = false;  ///< besides what the base asks for
    std::optional<Severity> fail_on;     ///< counts where the base's file does not ask for a lower one
};

/// One profile that was looked at.
struct Unit {
    std::string name, file;
};

struct Review {
    std::vector<Unit> units;        ///< every profile of either side
    std::string root;               ///< absolute: where the paths of findings in the head begin
    std::vector<Finding> findings;  ///< merged over profiles, worst first
    ChangeVerdict verdict;
    Severity fail_on = Severity::medium;
    /// What is wrong with profiles or requirements of either side. Where there is any, the review is not
    /// whole: each is a finding `review.unreadable` too.
    std::vector<Diagnostic> diagnostics;
};

/// Compares. The base defaults to the merge base of origin/HEAD and the head, the head to the work tree.
/// Fails where a side can't be found: no repository, an unknown or ambiguous revision, no common ancestor, no
/// profile on either side.
[[nodiscard]] Result<Review> review(const Request& request);

}  // namespace guard::review
