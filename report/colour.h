#pragma once
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "posture/checks.h"

namespace guard::report {

enum class Colour : bool { off, on };

/// `text` in bold or coloured for a severity; unchanged where colour is off. Only severities are coloured.
[[nodiscard]] inline std::string painted(std::string_view text, Severity severity, Colour colour) {
    constexpr std::array<std::string_view, 6> kStyles{"", "2", "36", "33", "31", "1;31"};
    const auto style = kStyles.at(static_cast<std::size_t>(severity));
    if (colour == Colour::off || style.empty()) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", style, text);
}

}  // namespace guard::report
