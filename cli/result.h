#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "report/colour.h"

namespace guard::cli {

/// The result in one of the formats that the command's --format names.
using Write = std::function<std::string(std::string_view format, report::Colour colour)>;

/// Writes each --output FORMAT:FILE, then the result on stdout in --format. Returns `status`, or 2 with a
/// complaint where something could not be written.
[[nodiscard]] int give_result(const Invocation& invocation, int status, const Write& write);

}  // namespace guard::cli
