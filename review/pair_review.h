#pragma once
#include <chrono>

#include "posture/finding.h"
#include "review/pairs.h"

namespace guard::review {

/// The profile of a member, whatever it was read from; null where there is none or it could not be read.
[[nodiscard]] const Profile* profile_of(const Member* member);

/// True where a finding is more than, or other than, what the base had.
[[nodiscard]] bool grants_more(const Finding& finding);

/// What differs between the two profiles of a pair, in a reviewer's words and ranked by risk, each with its
/// line; waivers of the base applied, and what is to be said of the head's. `base_waivers` are those of every
/// profile of the base. Both sides must be readable.
[[nodiscard]] std::vector<Finding> pair_findings(const Pair& pair, const Lines& base_lines,
                                                 const Lines& head_lines,
                                                 const std::vector<Waiver>& base_waivers,
                                                 std::chrono::year_month_day today);

}  // namespace guard::review
