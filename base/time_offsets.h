#pragma once
#include <string>
#include <string_view>

namespace guard {

/// The lines of /proc/PID/timens_offsets as "monotonic 3600 s, boottime 1 s and 5 ns"; "in step" where both
/// are 0. time_namespaces(7)
[[nodiscard]] std::string time_offsets_in_words(std::string_view text);

}  // namespace guard
