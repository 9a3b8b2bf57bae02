#pragma once
#include "posture/finding.h"

namespace guard::review {

/// Puts a finding of compare() into a reviewer's words: title, severity and what to do are those of a change
/// that somebody proposes, not of a running task that drifted.
void tell_as_change(Finding& finding);

}  // namespace guard::review
