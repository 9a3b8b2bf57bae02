#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace guard {

/// Soft and hard limit; none: unlimited.
struct ProcLimit {
    std::optional<std::uint64_t> soft, hard;
    bool operator==(const ProcLimit&) const = default;
};

/// /proc/PID/limits, by the kernel's own words: "Max open files". Fails with the line that is wrong.
/// proc_pid_limits(5)
[[nodiscard]] Result<std::map<std::string, ProcLimit, std::less<>>> parse_proc_limits(std::string_view text);

}  // namespace guard
