#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posture/change_verdict.h"
#include "posture/finding.h"
#include "report/colour.h"

namespace guard::report {

/// One container or profile that was looked at, whether or not anything was found.
struct Examined {
    std::string unit;
    std::size_t tasks = 0, checks = 0;
    std::string file;  ///< its profile, where findings stand that nobody wrote down; empty: none
};

/// The work tree that forges show, and where paths that are not absolute start from. Both absolute, or empty.
struct Tree {
    std::string root, folder;
};

enum class Unknowns : bool { count, accept };

/// What fails: findings of this severity and above, and, where they count, what could not be read.
struct Bar {
    Severity fail_on = Severity::medium;
    Unknowns unknowns = Unknowns::count;
};

/// Who reads SARIF. Code scanning of GitHub shows suppressed results as open ones, keeps 5,000 results, and
/// refuses one that names no file.
enum class SarifReader : bool { any, code_scanning };

/// What audit, check or review found: the one value that every format shows.
struct Findings {
    std::string command = "audit";  ///< the verb that found it
    std::string units = "container";
    std::vector<Examined> examined;
    std::vector<Finding> findings;
    bool as_root = true;                  ///< else what is unknown may be readable for root
    std::vector<std::string_view> asked;  ///< ids of checks made on every unit, also where nothing was found
    std::string version;                  ///< of guard; empty: not said
    Tree tree;
    Bar bar;
    SarifReader sarif_reader = SarifReader::any;
    std::optional<ChangeVerdict> change;  ///< of a review: the answer as a whole
    std::string again;       ///< the command that looks again; empty: `guard COMMAND UNIT`
    bool own_launch = true;  ///< guard started it; else guard can't mend it either
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
/// All formats of findings but for text, whose layout has choices.
[[nodiscard]] std::span<const FormatRow> finding_formats();

/// The layout for people: severity, subject, sentence, id; then found, expected, why, do. Findings of one
/// check on the same tasks are one entry. The last line is the sum.
[[nodiscard]] std::string findings_text(const Findings& findings, Colour colour);

/// The entries alone: nothing about what is well, and no sum.
[[nodiscard]] std::string entries_text(const Findings& findings, Colour colour);
/// One of them alone, as findings_text writes it.
[[nodiscard]] std::string entry_text(const Finding& finding, const Findings& all, Colour colour);

[[nodiscard]] std::string findings_json(const Findings& findings);
/// One of them alone: an object on one line.
[[nodiscard]] std::string finding_json(const Finding& finding, const Findings& all);
[[nodiscard]] std::string findings_sarif(const Findings& findings);
[[nodiscard]] std::string findings_markdown(const Findings& findings);
/// Annotations for the log of a GitHub workflow, the worst first; what is more than it shows of a kind stands
/// in the log as text.
[[nodiscard]] std::string findings_github(const Findings& findings);
/// GitLab's Code Quality report.
[[nodiscard]] std::string findings_gitlab(const Findings& findings);
[[nodiscard]] std::string findings_junit(const Findings& findings);
[[nodiscard]] std::string findings_prometheus(const Findings& findings);

/// What tells this finding from every other one, over runs: a hash of its unit, check, item and verdict,
/// without numbers of this boot and without line numbers. 16 hexadecimal digits.
[[nodiscard]] std::string fingerprint(const Finding& finding);
/// The same for each of `findings`, in order; those of one meaning with different values are told apart by
/// "-2", "-3".
[[nodiscard]] std::vector<std::string> fingerprints(std::span<const Finding> findings);

}  // namespace guard::report
