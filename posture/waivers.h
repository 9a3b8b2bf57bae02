#pragma once
#include <chrono>
#include <span>
#include <vector>

#include "posture/finding.h"

namespace guard {

/// Days before its end at which a waiver is told of.
inline constexpr std::chrono::days kWaiverNotice{14};

/// True where the waiver is about this finding: the same id, of the field or of the
/// risk, and its `what` is the item
/// or the mount that the item begins with. Nothing is said of its date.
[[nodiscard]] bool is_about(const Waiver& waiver, const Finding& finding);

/// True where it excuses a finding of this severity on this day: it has not ended, and "never" is only for
/// medium and below.
[[nodiscard]] bool is_in_force(const Waiver& waiver, Severity severity, std::chrono::year_month_day today);

/// Notes the waiver in each finding that one excuses. `findings` are those of one container or profile: a
/// waiver without `what` counts where it is about exactly one of them.
void apply_waivers(std::vector<Finding>& findings, std::span<const Waiver> waivers,
                   std::chrono::year_month_day today);

/// What is to be said of the waivers themselves: `waiver.ending` within kWaiverNotice, `waiver.expired`, and
/// `waiver.unused` where it names a field of the posture and is about none of `findings`, which are
/// everything that it could excuse: those of the whole profile against nothing granted. An id that no field
/// has may be one of another command, so nothing is said of its use.
[[nodiscard]] std::vector<Finding> waiver_findings(const Subject& subject, std::span<const Waiver> waivers,
                                                   std::span<const Finding> findings,
                                                   std::chrono::year_month_day today);

/// The same for a whole profile. One that has no waiver costs nothing.
[[nodiscard]] std::vector<Finding> waiver_findings(const Subject& subject, const Profile& profile,
                                                   std::chrono::year_month_day today);

/// "2026-12-03"
[[nodiscard]] std::string date_in_words(std::chrono::year_month_day day);

}  // namespace guard
