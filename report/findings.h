#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posture/finding.h"
#include "report/colour.h"

namespace guard::report {

/// One container or profile that was looked at, whether or not anything was found.
struct Examined {
    std::string unit;
    std::size_t tasks = 0, checks = 0;
};

/// What audit, check or review found: the one value that every format shows.
struct Findings {
    std::string command = "audit";  ///< the verb that found it
    std::string units = "container";
    std::vector<Examined> examined;
    std::vector<Finding> findings;
    bool as_root = true;  ///< else what is unknown may be readable for root
};

/// How many findings count, by severity. A waived one counts nowhere else, nor does one that is unknown.
struct Counts {
    std::array<std::size_t, 6> by_severity{};
    std::size_t unknown = 0, waived = 0;
};
[[nodiscard]] Counts counts_of(std::span<const Finding> findings);

/// One way to write findings down.
struct FormatRow {
    std::string_view name;  ///< as --format takes it
    std::string (*write)(const Findings& findings);
};
/// All formats of findings but for text, whose layout has choices: json, sarif, markdown, junit, prometheus.
[[nodiscard]] std::span<const FormatRow> finding_formats();

/// The layout for people: severity, subject, sentence, id; then found, expected, why, do. Findings of one
/// check on the same tasks are one entry. The last line is the sum.
[[nodiscard]] std::string findings_text(const Findings& findings, Colour colour);

[[nodiscard]] std::string findings_json(const Findings& findings);
[[nodiscard]] std::string findings_sarif(const Findings& findings);
[[nodiscard]] std::string findings_markdown(const Findings& findings);
[[nodiscard]] std::string findings_junit(const Findings& findings);
[[nodiscard]] std::string findings_prometheus(const Findings& findings);

/// What tells this finding from every other one, over runs: a hash of its unit, check, item and verdict,
/// without numbers of this boot and without line numbers. 16 hexadecimal digits.
[[nodiscard]] std::string fingerprint(const Finding& finding);

}  // namespace guard::report
