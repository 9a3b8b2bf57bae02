#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace guard {

/// One line of /proc/PID/uid_map or gid_map; `outside` is in the reader's user namespace. user_namespaces(7)
struct IdMapLine {
    std::uint32_t inside = 0, outside = 0, count = 0;
    bool operator==(const IdMapLine&) const = default;
};

/// Fails with the line that is wrong. An empty text is a map that maps nothing.
[[nodiscard]] Result<std::vector<IdMapLine>> parse_id_map(std::string_view text);
/// The id inside that stands for `outside`, or none.
[[nodiscard]] std::optional<std::uint32_t> inside_id(std::span<const IdMapLine> map, std::uint32_t outside);
/// The id outside that `inside` stands for, or none.
[[nodiscard]] std::optional<std::uint32_t> outside_id(std::span<const IdMapLine> map, std::uint32_t inside);

}  // namespace guard
