#pragma once
#include <linux/filter.h>

#include <span>
#include <vector>

#include "base/error.h"
#include "posture/filter/diagram.h"

namespace guard {

/// What a filter answers for every input, with settled answers. Fails where the kernel would refuse the
/// program, and with "not analysed" where the arena's limits or 200,000 states are not enough.
[[nodiscard]] Result<Diagrams::Node> diagram_of(Diagrams& diagrams, std::span<const sock_filter> program);

/// What a task with several filters is answered, oldest first: the most restrictive action counts,
/// KILL_PROCESS before KILL_THREAD, TRAP, ERRNO, USER_NOTIF, TRACE, LOG and ALLOW, and of equal ones the
/// newest filter's data. No filter at all allows everything. seccomp(2)
[[nodiscard]] Result<Diagrams::Node> diagram_of(Diagrams& diagrams,
                                                std::span<const std::vector<sock_filter>> oldest_first);

}  // namespace guard
