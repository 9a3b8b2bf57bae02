#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace guard {

/// "64MiB" -> 67108864. Units B KiB MiB GiB TiB, whole numbers. Fails with a reason that names the right
/// spelling: `2G` is answered `write "2GiB" (2 x 1024^3 bytes)`.
[[nodiscard]] Result<std::uint64_t> parse_size(std::string_view text);
/// 67108864 -> "64 MiB": exact where a whole number of units is, else one decimal ("1.3 GiB").
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// "10s", "5min", "250ms", "1h", "2d". Units ms s min h d, whole numbers.
[[nodiscard]] Result<std::chrono::milliseconds> parse_duration(std::string_view text);
/// 60000 ms -> "60 s"; 90000 ms -> "90 s"; 120000 ms -> "2 min"; the largest unit that divides evenly above
/// 90 s.
[[nodiscard]] std::string format_duration(std::chrono::milliseconds duration);

/// "3 d 4 h", "14 s": the two largest units.
[[nodiscard]] std::string span_in_words(std::chrono::seconds span);

}  // namespace guard
