#pragma once
#include <string>
#include <string_view>

namespace guard {

/// True where one right of a field holds another: the wider audience, more ports, the directory above, more
/// ways to use a device. Rights are as a posture writes them. False where nobody can tell, so that a right is
/// rather told twice than not at all.
[[nodiscard]] bool includes_right(std::string_view field, std::string_view outer, std::string_view inner);

}  // namespace guard
