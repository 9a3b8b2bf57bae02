#pragma once
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace guard {

/// What /proc/PID/stat says of one task beyond its status file. proc_pid_stat(5)
struct ProcStat {
    int terminal = 0;         ///< device number of the controlling one; 0: none
    int nice = 0;             ///< -20 to 19
    std::uint64_t start = 0;  ///< clock ticks since boot
    unsigned realtime = 0;    ///< 1 to 99; 0: not scheduled in real time
    unsigned policy = 0;      ///< SCHED_... of sched(7)
    unsigned flags = 0;       ///< PF_... of the kernel
    /// Where its environment is in its memory; 0: it has none, or the reader may not know.
    std::uint64_t environment_begin = 0, environment_end = 0;
    /// A thread of the kernel has no program: PF_KTHREAD.
    [[nodiscard]] bool of_kernel() const { return (flags & 0x0020'0000U) != 0; }
    /// It gives away what it has, piece by piece, and runs no code of its own any more: PF_EXITING.
    [[nodiscard]] bool ending() const { return (flags & 0x4U) != 0; }
    bool operator==(const ProcStat&) const = default;
};

/// The command, which may hold spaces and brackets, ends at the last ")". Fails with the field that is wrong
/// or missing.
[[nodiscard]] Result<ProcStat> parse_proc_stat(std::string_view line);

/// Whole clock ticks in so many nanoseconds: what the kernel keeps, as /proc tells it. sysconf(3)
[[nodiscard]] std::uint64_t clock_ticks(std::uint64_t nanoseconds);

}  // namespace guard
