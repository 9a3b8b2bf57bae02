#pragma once
#include <sys/types.h>

#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "launcher/plan.h"

/// The half of a launch that needs the host's rights: what is opened before the child exists, and what is
/// written about it while it waits.
namespace guard::launcher {

/// Makes {data} and other sources that may be missing, 0700, owned by the host id of the container's user.
[[nodiscard]] Result<void> make_sources(const LaunchPlan& plan);

/// One detached mount for each bind of the plan, with its flags and its one-line id map; -1 for what the
/// child makes. Fails where a source is not what it was when the launch was planned.
[[nodiscard]] Result<std::vector<UniqueFd>> open_mounts(const LaunchPlan& plan);

/// Writes the id maps, the oom score and the hard limits that only the host may raise.
[[nodiscard]] Result<void> prepare_child(const LaunchPlan& plan, pid_t child);

}  // namespace guard::launcher
