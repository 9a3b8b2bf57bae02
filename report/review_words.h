#pragma once
#include <span>
#include <string>
#include <vector>

#include "report/findings.h"

/// What a review says, in the parts that its text and its comment share.
namespace guard::report {

/// Findings that read as one: one check, rank, file and answer, for the same profiles.
using ReviewEntry = std::span<const Finding>;
[[nodiscard]] std::vector<ReviewEntry> review_entries(const Findings& findings);

/// "minecraft", "base -> all 6 others", "@file -> minecraft, portfolio", "base -> 12 of 30".
[[nodiscard]] std::string who_in_words(const Finding& finding, const Findings& all);
/// Every profile it is about, where who_in_words does not name them all; else empty.
[[nodiscard]] std::string everyone_in_words(const Finding& finding, const Findings& all);
/// The one sentence, with the items of the whole entry: "newly allows io_uring_setup, io_uring_enter".
[[nodiscard]] std::string entry_title(ReviewEntry entry);
/// The lines that changed: `+ "io_uring_setup", "io_uring_enter"`; what was taken before what was added.
[[nodiscard]] std::string lines_in_words(ReviewEntry entry);
/// "profiles/base.toml:16:28", and "in the base" where the head has no such line.
[[nodiscard]] std::string review_where(const Finding& finding);

/// The answer in one sentence: "no-new-access  does not hold: ...", "no change in what is allowed (proved)".
[[nodiscard]] std::string verdict_in_words(const ChangeVerdict& verdict);

/// What counts, in numbers: "2 high, 1 medium".
struct ReviewSum {
    std::size_t findings = 0, lost = 0, waived = 0, unknown = 0;
    std::string by_severity;
    std::size_t units = 0;  ///< profiles with a finding that counts
};
[[nodiscard]] ReviewSum review_sum(const Findings& findings);

/// A review as text, and as one comment of a pull request.
[[nodiscard]] std::string review_text(const Findings& findings, Colour colour);
[[nodiscard]] std::string review_markdown(const Findings& findings);

/// GitHub refuses a comment of more characters.
inline constexpr std::size_t kMostComment = 65'536;

}  // namespace guard::report
