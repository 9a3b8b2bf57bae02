#pragma once
#include "base/error.h"
#include "posture/survey.h"

namespace guard::audit {

/// Reads every thread of every process of this machine, what it holds beyond nothing granted, where it
/// listens, and which namespaces there are and who keeps them. What can't be read is said with each process;
/// fails only where /proc itself can't be read.
[[nodiscard]] Result<Survey> survey_machine();

}  // namespace guard::audit
