#pragma once
#include <map>
#include <span>
#include <string>

#include "base/mountinfo.h"
#include "posture/mount.h"

namespace guard::audit {

/// "MAJOR:MINOR ROOT" of a task's mounts -> the path of this machine that shows the same: what is bound from
/// outside, as the launcher of the task may have written it.
[[nodiscard]] std::map<std::string, std::string> host_paths(std::span<const MountLine> inside,
                                                            std::span<const MountLine> host);

/// `observed` without what every launcher puts into a tree and no profile declares: file systems that the
/// kernel makes afresh, device nodes (told as devices), the few generated files of /etc. Its root counts as
/// the declared one unless it is this machine's own.
[[nodiscard]] MountTree without_customary(const MountTree& observed, const MountTree& declared);

}  // namespace guard::audit
