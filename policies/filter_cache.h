#pragma once
#include <string>

#include "base/error.h"
#include "posture/filter_rules.h"

namespace guard::policies {

/// compile_filter(rules), remembered in `directory`, which is made where it is missing. What is there is used
/// only where nobody but root and this user can have written it, and where it is whole; a program is filed
/// under the hash of all that it depends on, so that it is never out of date. Whatever is wrong with the
/// directory or a file in it, the filter is compiled. Two that do so at once do no harm to each other. Fails
/// as compile_filter does.
[[nodiscard]] Result<std::string> cached_filter(const FilterRules& rules, const std::string& directory);

/// The hash that a filter is filed under: of the rules, of the tables of system calls, and of what compiles.
[[nodiscard]] std::string cache_key(const FilterRules& rules);

}  // namespace guard::policies
