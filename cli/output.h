#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/command.h"
#include "report/colour.h"

/// Where guard's words go: results to stdout, errors and progress to stderr.
namespace guard::cli {

/// "guard: cannot ATTEMPT: REASON", then "  do: FIX" where there is one; on stderr.
void complain(const Error& error);
/// The same text.
[[nodiscard]] std::string complaint(const Error& error);
/// One line of progress about a container, on stderr: "minecraft  started in 9 ms".
void tell(const std::string& name, std::string_view text);

/// Whether progress is shown: on a terminal, or where --verbose asks for it, but for --quiet.
[[nodiscard]] bool shows_progress(const Invocation& invocation);
/// As --color, NO_COLOR and stdout say.
[[nodiscard]] report::Colour colour_of(const Invocation& invocation);

/// The result on stdout; the status, or 2 with a complaint where it could not be written (a closed or full
/// stdout).
[[nodiscard]] int answer(std::string_view result, int status);

/// Opens /dev/null where one of the descriptors 0 to 2 is closed, the wrong way round: nothing else may take
/// their place, and a write to it still fails.
void hold_standard_descriptors();

}  // namespace guard::cli
