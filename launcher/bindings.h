#pragma once
#include "base/error.h"
#include "launcher/plan.h"
#include "posture/record.h"

namespace guard::launcher {

/// The record of a launch before anything is made: what will be made, and what it promises.
[[nodiscard]] Result<Record> record_of(const LaunchPlan& plan);

/// Fills in what the words of the posture stand for, now that the processes exist and the tree is entered.
[[nodiscard]] Result<void> bind_record(Record& record, const LaunchPlan& plan, pid_t init, int payload_pidfd);

}  // namespace guard::launcher
