#pragma once
#include <span>
#include <string>
#include <string_view>

#include "posture/diagnostic.h"
#include "report/colour.h"

namespace guard::report {

/// Each diagnostic as a sentence, file:line:column, the line, and carets with a note; several marks on one
/// line share it. Long lines are shortened around their carets.
[[nodiscard]] std::string diagnostics_text(std::span<const Diagnostic> diagnostics, Colour colour);

/// "error", "warning" or "note".
[[nodiscard]] std::string_view level_name(Level level);

/// True where one of them is an error: nothing may run on it.
[[nodiscard]] bool has_error(std::span<const Diagnostic> diagnostics);

}  // namespace guard::report
