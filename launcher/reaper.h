#pragma once
#include <sys/types.h>

#include "posture/filter_rules.h"

namespace guard::launcher {

/// What PID 1 of a container may still do: wait, tell its supervisor how the command ended, and end.
[[nodiscard]] FilterRules reaper_rules();

/// How the command ended, told by PID 1 to the supervisor. `status` is as wait(2) gives it.
struct Ended {
    int status = 0;
};

/// PID 1 from here on: reaps whatever the kernel gives it until `payload` has ended, tells `report`, and
/// ends, which ends everything else in the container. Runs in the child: async-signal-safe.
[[noreturn]] void reap(pid_t payload, int report) noexcept;

}  // namespace guard::launcher
