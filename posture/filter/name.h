#pragma once
#include <string>
#include <string_view>

#include "base/digest.h"

namespace guard {

/// How a filter is named in a posture: by the first 12 digits of the SHA-256 of its bytes.
[[nodiscard]] inline std::string filter_name(std::string_view bytes) {
    return digest_of(bytes).substr(0, 12);
}

}  // namespace guard
