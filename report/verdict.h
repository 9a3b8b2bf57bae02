#pragma once

#include "report/findings.h"

namespace guard::report {

/// What audit, check and review answer: as numbers they are the exit status.
enum class Outcome : int { clean = 0, found = 1, unusable = 2, incomplete = 3 };

/// Found beats incomplete; a waived finding and an unknown never count for `fail_on`. Input that could not be
/// used beats both, and is the caller's to say.
[[nodiscard]] constexpr Outcome outcome_of(const Counts& counts, Severity fail_on, Unknowns unknowns) {
    for (auto rank = static_cast<std::size_t>(fail_on); rank < counts.by_severity.size(); ++rank)
        if (counts.by_severity.at(rank) > 0) return Outcome::found;
    return counts.unknown > 0 && unknowns == Unknowns::count ? Outcome::incomplete : Outcome::clean;
}

}  // namespace guard::report
