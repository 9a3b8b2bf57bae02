#pragma once
#include <sys/types.h>

#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

namespace guard {

/// Joins the kernel's process events: exec, fork, change of ids, trace, exit. Nothing comes in a pid
/// namespace other than the machine's, and a network namespace other than its refuses (ECONNREFUSED). Events
/// get lost when they come faster than they are read: then reading fails with ENOBUFS, once. connector,
/// linux/cn_proc.h
[[nodiscard]] Result<UniqueFd> open_proc_events();

/// The processes that one datagram of events is about: who forked, who executed, whose ids changed, who
/// ended. Without doubles; broken bytes are about nobody.
[[nodiscard]] std::vector<pid_t> processes_in_events(std::string_view datagram);

}  // namespace guard
