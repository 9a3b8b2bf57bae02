#pragma once
#include <string>
#include <string_view>

namespace guard::audit {

/// The lines of a status file that say what a task may do: without what a running program changes all the
/// time (memory, context switches, pending signals). Two that are equal give equal rights. proc_pid_status(5)
[[nodiscard]] std::string rights_in(std::string_view status);

}  // namespace guard::audit
