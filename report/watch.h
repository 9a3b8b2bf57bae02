#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/journal.h"
#include "report/findings.h"

/// What `guard audit --watch` tells, each time something begins or ends.
namespace guard::report {

enum class Turn : std::uint8_t { begins, ends };

/// A finding that began or ended.
struct Told {
    Turn turn = Turn::begins;
    Finding finding;
    std::int64_t at = 0;     ///< seconds since 1970
    std::int64_t since = 0;  ///< when it began
};

/// For a person: a line with the time; a beginning with all that `guard audit` says of it.
[[nodiscard]] std::string watch_text(const Told& told, const Findings& all, Colour colour);
/// One line of JSON: {"guard": 1, "time", "event": "begins"|"ends", "since", "finding"}.
[[nodiscard]] std::string watch_json(const Told& told, const Findings& all);
/// The fields of a journal entry: MESSAGE, PRIORITY and GUARD_... for whoever filters.
[[nodiscard]] std::vector<JournalField> watch_journal(const Told& told);
/// findings_prometheus, and when it was looked at last: an alert can tell a watcher that has died.
[[nodiscard]] std::string watch_prometheus(const Findings& all, std::int64_t looked);

}  // namespace guard::report
