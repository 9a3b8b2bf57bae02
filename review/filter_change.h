#pragma once
#include <string_view>
#include <vector>

#include "posture/filter_rules.h"
#include "posture/finding.h"

namespace guard::review {

/// The item of a finding about whether refused calls are logged.
inline constexpr std::string_view kLogged = "what is refused";

/// How one filter differs from another, for every input: one finding for each call and direction, with the
/// arguments in words, a call that shows it, and the ABIs where not all are alike. Ids: `seccomp.access` for
/// what is newly allowed or refused, `seccomp.failure` for what is refused otherwise, `seccomp.supervision`
/// for what is logged or asked otherwise, `seccomp.sockets-past-the-filter` where i386 programs still reach
/// what `socket` refuses. Unknown where the filters are too large to be compared.
[[nodiscard]] std::vector<Finding> filter_changes(const FilterRules& from, const FilterRules& to,
                                                  const Subject& subject);

}  // namespace guard::review
