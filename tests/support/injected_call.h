#pragma once
#include <sys/types.h>

#include <array>

#include "base/error.h"

namespace guard::support {

/// Makes a task that sleeps in a system call make another one, as a debugger does, its filter switched off
/// for that moment; it sleeps on as before. Fails with the errno of ptrace(2), or with that of the call.
[[nodiscard]] Result<long> call_in(pid_t task, long number, const std::array<unsigned long, 3>& arguments);

}  // namespace guard::support
