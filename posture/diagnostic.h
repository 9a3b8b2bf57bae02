#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "posture/profile.h"

namespace guard {

/// A place the message points at: the line, and what stands under it.
struct Mark {
    Where where;
    std::string line;     ///< the line of the file, without its end; empty where there is none to show
    unsigned length = 1;  ///< characters under the caret, from where.column
    std::string note;     ///< behind the carets: "did you mean `memory`?"
};

enum class Level : std::uint8_t { error, warning, note };

/// What is wrong with a profile: one sentence, and every place that has to do with it (two for a
/// contradiction).
struct Diagnostic {
    Level level = Level::error;
    std::string message;  ///< "unknown key `memroy` in [limits]"
    std::vector<Mark> marks;
    std::string_view check{};  ///< not an error but a finding: the id of its row in posture/checks.h
    std::string item{};        ///< of the finding: the call, key or mount it is about
};

}  // namespace guard
