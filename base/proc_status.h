#pragma once
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace guard {

/// What /proc/PID/status and /proc/PID/task/TID/status say of one task, ids as the reader's user namespace
/// sees them. proc_pid_status(5)
struct ProcStatus {
    std::string name;
    char state = '?';  ///< 'Z': a leader that has ended; its other threads may live on
    pid_t tgid = 0, pid = 0, ppid = 0, tracer = 0;
    std::array<std::uint32_t, 4> uid{}, gid{};  ///< real, effective, saved, file system
    std::vector<std::uint32_t> groups;
    unsigned threads = 0;
    std::uint64_t cap_inheritable = 0, cap_permitted = 0, cap_effective = 0, cap_bounding = 0,
                  cap_ambient = 0;
    unsigned no_new_privs = 0;
    unsigned seccomp = 0;                     ///< 0 none, 1 strict, 2 filter
    std::optional<unsigned> seccomp_filters;  ///< since 5.9
    std::optional<unsigned> umask;            ///< a zombie has none
    std::string cpus_allowed;                 ///< "0-3,8"
    bool operator==(const ProcStatus&) const = default;
};

/// Fails with the line that is wrong or missing.
[[nodiscard]] Result<ProcStatus> parse_proc_status(std::string_view text);

}  // namespace guard
