#pragma once
#include <optional>
#include <string>

#include "base/error.h"

namespace guard {

/// The label that a security module gave a task: "unconfined", "guard (enforce)"; none where no module of
/// this kernel gives labels. `folder` is /proc/PID or /proc/PID/task/TID. Fails with the errno of read(2).
/// proc_pid_attr(5)
[[nodiscard]] Result<std::optional<std::string>> lsm_label_in(int folder);

}  // namespace guard
