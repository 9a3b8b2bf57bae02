#pragma once
#include <string>
#include <string_view>

namespace guard {

/// SHA-256 of `bytes`, in 64 small hexadecimal digits: how guard names the content of profiles and filters.
/// FIPS 180-4
[[nodiscard]] std::string digest_of(std::string_view bytes);

}  // namespace guard
