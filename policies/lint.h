#pragma once
#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "policies/load.h"
#include "posture/finding.h"

/// What is right by the language and yet dangerous, without effect or probably a slip. The rows are in
/// posture/checks.cpp (lint_checks) and posture/risks.cpp.
namespace guard {

/// Every finding about one profile that was loaded with LoadOptions::Lint::yes, its waivers applied and
/// judged, worst first, all about `unit`. Empty where there is no profile.
[[nodiscard]] std::vector<Finding> lint(const Loaded& loaded, const std::string& unit,
                                        std::chrono::year_month_day today);

/// What a posture alone shows: the risks that it takes, and capabilities that the next exec drops. `origins`
/// says where each right is written.
[[nodiscard]] std::vector<Finding> lint_posture(const Posture& posture, const Origins& origins,
                                                const Subject& unit);

/// A heap that the command or the environment asks for, against the memory limit. java(1), node(1)
[[nodiscard]] std::vector<Finding> lint_heap(const Profile& profile, const Subject& unit);

/// Memory limits of profiles that run on one machine together, against its `memory` in bytes. Profiles
/// without a command can only be extended, and do not count; nor does one profile alone.
[[nodiscard]] std::vector<Finding> lint_together(std::span<const Profile* const> profiles,
                                                 std::uint64_t memory);

}  // namespace guard
