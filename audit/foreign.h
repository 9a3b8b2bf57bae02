#pragma once
#include "audit/audit.h"
#include "posture/profile.h"

namespace guard::audit {

/// What of `profile` anybody's launch could keep: without what only guard makes (its own id range, its
/// generated root, its host name), and with what an own network has in any case.
[[nodiscard]] Posture declared_for_any_launch(const Profile& profile);

/// Reads a process that somebody else may have started, its threads, and its descendants in the same
/// namespaces, and judges each by the profile. An own id range is any map without this machine's root.
/// Filters are read from the kernel and judged by their meaning. What only a launch record could tell (packet
/// rules of another launcher, rules of its Landlock) is an unknown. Fails with ESRCH where there is no such
/// process.
[[nodiscard]] Result<Report> audit_process(pid_t pid, const Profile& profile, const Options& options);

}  // namespace guard::audit
