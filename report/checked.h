#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "posture/diagnostic.h"
#include "report/findings.h"

namespace guard::report {

/// What `guard check` found out about one profile, or one file of a group.
struct Checked {
    std::string name;  ///< as it was asked for
    std::string unit;  ///< what its findings are about
    std::vector<Diagnostic> diagnostics;
    std::size_t files = 0;                    ///< it was read from
    std::size_t calls = 0;                    ///< system calls its filter allows
    std::optional<std::size_t> instructions;  ///< of the compiled filter; none: nothing was compiled
};

/// How `check` shows what it found.
struct CheckedView {
    Colour colour = Colour::off;
    Severity least = Severity::medium;  ///< lower findings are counted, not shown
    bool waived = false;                ///< whether waived ones are shown, not only counted
};

/// Everything that is wrong, every finding, then one line a profile ("minecraft.toml: 4 errors, nothing was
/// compiled"), then, of several, the sum.
[[nodiscard]] std::string checked_text(std::span<const Checked> profiles, const Findings& findings,
                                       const CheckedView& view);
/// The same as data: what findings_json gives, and "profiles": [{name, ok, files, calls, instructions,
/// diagnostics}]. Holds every finding, whatever is shown as text.
[[nodiscard]] std::string checked_json(std::span<const Checked> profiles, const Findings& findings);

}  // namespace guard::report
