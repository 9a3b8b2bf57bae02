#pragma once
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "posture/checks.h"
#include "posture/order.h"
#include "posture/profile.h"

namespace guard {

/// Whom a finding is about: a task of a container, or (pid 0) a profile.
struct Subject {
    std::string unit;  ///< container or profile
    pid_t pid = 0, tid = 0;
    std::uint64_t start = 0;
    std::string command;  ///< comm of the thread
    std::string exe;
};

/// CONTRACT: against a profile looser or incomparable is a violation; against an earlier state looser is
/// weaker, incomparable changed.
enum class Verdict : std::uint8_t { violation, weaker, changed, tighter, unknown, not_applicable };
enum class Against : std::uint8_t { profile, earlier };

[[nodiscard]] std::string_view verdict_name(Verdict verdict);

/// What a review says of a finding besides: all of it may be empty, and is in audit and check.
struct ReviewNotes {
    std::string origin;        ///< the profile or group (with "@") whose line it is, where others inherit it
    std::string means;         ///< "refused (EPERM) -> allowed, with any arguments"
    std::string witness;       ///< a call that shows it: "io_uring_setup(0, 0)"
    std::string taken, added;  ///< the line in the base and in the head, without indentation and comment
    bool in_base = false;      ///< `where` is a line of the base: the head has none
    bool operator==(const ReviewNotes&) const = default;
};

/// A place that has to do with a finding, and what stands there: "allowed here with any arguments".
struct FindingPlace {
    Where where;
    std::string note;
};

/// One difference, with all the tasks or profiles that have it.
struct Finding {
    const Check* check = nullptr;
    std::string item;
    Severity severity = Severity::info;
    Verdict verdict = Verdict::changed;
    std::string expected, observed;
    std::string reason;  ///< of an unknown
    Where where;
    std::vector<FindingPlace> places;  ///< where two or more places make it; `where` is the first
    std::string_view needed_by;        ///< what does need it: "the JVM and Node: just-in-time compilers"
    std::vector<Subject> subjects;
    std::optional<Waiver> waiver;
    std::string title, why, fix;  ///< in place of the check's own; empty: the check's
    const Check* risk = nullptr;  ///< the risk that it was ranked by; a waiver may name it too
    ReviewNotes notes;
};

/// One comparison to be judged: audit has one a task, review one a profile.
struct Case {
    Subject subject;
    const Posture* from = nullptr;
    const Posture* to = nullptr;
    const Origins* origins = nullptr;
    const std::vector<Waiver>* waivers = nullptr;
};

/// What differs in all cases: ranked, equal ones merged, waivers applied. A waiver counts up to and including
/// its day.
[[nodiscard]] std::vector<Finding> judge(std::span<const Case> cases, Against against,
                                         std::chrono::year_month_day today);

/// A finding raised by name, where no posture differs: "record.missing".
[[nodiscard]] Finding raise(std::string_view check_id, Subject subject, std::string expected,
                            std::string observed, Where where = {});

/// The same for what could not be seen: never ok, and never a finding of somebody's fault.
[[nodiscard]] Finding raise_unknown(std::string_view check_id, Subject subject, std::string reason);

/// Whether one finding may be about several containers or profiles.
enum class Units : std::uint8_t { apart, together };
/// Sorts by severity, then container, then check; merges what is equal but for its subjects. Together: what
/// many profiles inherit from one line is one finding.
[[nodiscard]] std::vector<Finding> merged(std::vector<Finding> findings, Units units = Units::apart);

}  // namespace guard
