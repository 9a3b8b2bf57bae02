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

/// One difference, with all the tasks or profiles that have it.
struct Finding {
    const Check* check = nullptr;
    std::string item;
    Severity severity = Severity::info;
    Verdict verdict = Verdict::changed;
    std::string expected, observed;
    std::string reason;  ///< of an unknown
    Where where;
    std::vector<Subject> subjects;
    std::optional<Waiver> waiver;
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

/// Sorts by severity, then subject, then check; merges what is equal but for its subjects.
[[nodiscard]] std::vector<Finding> merged(std::vector<Finding> findings);

}  // namespace guard
