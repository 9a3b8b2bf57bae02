#pragma once
#include <map>
#include <span>
#include <string>

#include "base/mountinfo.h"
#include "posture/mount.h"

namespace guard::audit {

/// The mounts of a namespace in a container's own words. `sources`: "MAJOR:MINOR ROOT" -> the source path
/// that it stood for at launch; what is not among them and is no file system made afresh is named by its
/// device, so that it differs from everything declared.
[[nodiscard]] MountTree tree_of(std::span<const MountLine> mounts,
                                const std::map<std::string, std::string>& sources);

}  // namespace guard::audit
