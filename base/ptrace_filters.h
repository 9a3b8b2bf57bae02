#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace guard {

/// The bytes of the filters that a thread carries, newest first, by stopping it: some calls that it waits in
/// (epoll_wait, recv with a timeout, sigtimedwait, semop) return EINTR to it, which programs have died of.
/// `start` in clock ticks since boot. Fails with ESRCH where that thread has ended, EPERM where it is traced
/// already or the caller may not, and EACCES where the caller lacks CAP_SYS_ADMIN or has a filter itself.
/// PTRACE_SECCOMP_GET_FILTER in ptrace(2)
[[nodiscard]] Result<std::vector<std::string>> filters_by_ptrace(pid_t tid, std::uint64_t start);

}  // namespace guard
