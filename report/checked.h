#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "posture/diagnostic.h"
#include "report/colour.h"

namespace guard::report {

/// What `guard check` found out about one profile, or one file of a group.
struct Checked {
    std::string name;  ///< as it was asked for
    std::vector<Diagnostic> diagnostics;
    std::size_t files = 0;                    ///< it was read from
    std::size_t calls = 0;                    ///< system calls its filter allows
    std::optional<std::size_t> instructions;  ///< of the compiled filter; none: nothing was compiled
};

/// Everything that is wrong, then one line a profile: "minecraft.toml: 4 errors, nothing was compiled".
[[nodiscard]] std::string checked_text(std::span<const Checked> profiles, Colour colour);
/// The same as data: {"guard": 1, "profiles": [{name, ok, files, calls, instructions, diagnostics}]}.
[[nodiscard]] std::string checked_json(std::span<const Checked> profiles);

}  // namespace guard::report
