#pragma once
#include <vector>

#include "posture/finding.h"

namespace guard::review {

/// What differs in mounts that are on both sides beside what compare() tells, because nobody can read it back
/// from a running process: mounts below the source, options, and the mode of a tmpfs. Items end in
/// " recursive", " options" and " mode".
[[nodiscard]] std::vector<Finding> mount_changes(const Posture& from, const Posture& to,
                                                 const Subject& subject);

/// The options of a mount that is new, in words for its finding: empty where it has none.
[[nodiscard]] std::string options_in_words(const Posture& posture, const std::string& place);

}  // namespace guard::review
