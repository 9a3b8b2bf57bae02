#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace guard {

enum class Severity : std::uint8_t { none, info, low, medium, high, critical };
[[nodiscard]] std::string_view severity_name(Severity severity);

/// What a difference in one field is worth: one row a field, and one for each finding that is raised by name.
struct Check {
    std::string_view id;       ///< the field's path, or the name it is raised by: "record.missing"
    Severity looser, tighter;  ///< tighter none: not reported. Incomparable counts as looser
    std::string_view title;    ///< one sentence for the owner of a home server
    std::string_view why, fix;
    std::string_view source;  ///< man page section or document
};

/// The rows of fields, and of findings that audit, review and waivers raise by name; a static_assert in
/// checks.cpp proves that each field of a posture has one. Risks have theirs in posture/risks.h.
[[nodiscard]] std::span<const Check> checks();
/// The rows of what `guard check` finds in the lines of a profile, beside risks.
[[nodiscard]] std::span<const Check> lint_checks();
/// Every id that a finding can have, risks included: what a waiver may name.
[[nodiscard]] std::vector<std::string_view> check_ids();
/// The row of exactly this id, of a check or of a risk; null where there is none.
[[nodiscard]] const Check* find_check(std::string_view id);
/// The ids of the checks that every comparison makes: one a field, in order.
[[nodiscard]] std::span<const std::string_view> compared_checks();
/// The row of `id`, or of the longest prefix that has one. There is always one for a field's path.
[[nodiscard]] const Check& check_of(std::string_view id);

}  // namespace guard
