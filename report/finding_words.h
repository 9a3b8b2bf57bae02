#pragma once
#include <span>
#include <string>
#include <string_view>

#include "posture/finding.h"
#include "posture/waivers.h"
#include "report/findings.h"

/// The parts of a finding as sentences, shared by the formats that people read.
namespace guard::report {

/// Container or profile it is about; empty where there is none.
[[nodiscard]] std::string unit_of(const Finding& finding);
/// All of them: "base", "base, minecraft, portfolio and 4 more".
[[nodiscard]] std::string units_in_words(const Finding& finding);
/// Each once, in order.
[[nodiscard]] std::vector<std::string> units_of(const Finding& finding);
/// "thread 4733 "pool-2" of java (process 4711)", "all 39 tasks", "3 tasks: ...".
[[nodiscard]] std::string subjects_in_words(const Finding& finding, std::size_t tasks_of_unit);
/// The one sentence: the check's title, or for an unknown one that it could not be read.
[[nodiscard]] std::string title_of(const Finding& finding);
/// What differs and how it is now: "CAP_NET_ADMIN", "memory: 6 GiB".
[[nodiscard]] std::string observed_in_words(const Finding& finding);
/// What was declared or launched, the item named where `with_item` asks for it.
enum class ItemNamed : bool { no, yes };
[[nodiscard]] std::string expected_in_words(const Finding& finding, ItemNamed item);
/// All of it but who: "a limit is not the one declared: found memory: 6 GiB, expected 2 GiB", or why it could
/// not be read; who excuses it and until when.
[[nodiscard]] std::string sentence_of(const Finding& finding);
/// "1 critical, 2 medium, 1 unknown, 1 waived"; empty where nothing was found.
[[nodiscard]] std::string counts_in_words(const Counts& counts);
/// "critical", "unknown" or "waived": what stands first in an entry.
[[nodiscard]] std::string_view rank_of(const Finding& finding);
/// Why it matters: of an unknown, why it could not be read.
[[nodiscard]] std::string why_of(const Finding& finding);
/// What to do about it; of an unknown, how to see it.
[[nodiscard]] std::string fix_of(const Finding& finding, const Findings& all);
/// "by alice until 2027-06-30: reason".
[[nodiscard]] std::string waiver_in_words(const Waiver& waiver);
/// Where it is written, without the directory; empty where nobody wrote it.
[[nodiscard]] std::string where_in_words(const Where& where);

}  // namespace guard::report
