#pragma once
#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace guard {

/// One process or thread for as long as this boot lasts: a pid alone is reused.
struct TaskId {
    pid_t pid = 0;
    std::uint64_t start = 0;        ///< clock ticks since boot. proc_pid_stat(5) field 22
    std::uint64_t pidfd_inode = 0;  ///< of its pidfd where pidfs gives unique ones (6.9+), else 0
    bool operator==(const TaskId&) const = default;
};

/// This boot's id. Fails where /proc/sys/kernel/random/boot_id can't be read.
[[nodiscard]] Result<std::string> boot_id();

/// /proc, held open and checked to be procfs. Fails where it is not mounted or something else is.
[[nodiscard]] Result<UniqueFd> open_proc();

/// A process held by pidfd, and what tells it from a later one with the same pid.
struct ProcessHandle {
    UniqueFd pidfd;
    TaskId id;
};
/// Opens the process with this pid. Fails with ESRCH where there is none.
[[nodiscard]] Result<ProcessHandle> open_process(pid_t pid);
/// Opens exactly this process. Fails with ESRCH where it has ended, also where its pid is another's by now.
[[nodiscard]] Result<ProcessHandle> open_process(const TaskId& id);

/// A namespace's id and whether it is unique for this boot: NS_GET_ID where the kernel has it (6.18), else
/// the inode number, which is reused at once. ioctl_nsfs(2)
struct NamespaceId {
    std::uint64_t id = 0;
    bool unique = false;
};
[[nodiscard]] Result<NamespaceId> namespace_id(int ns_fd);

}  // namespace guard
