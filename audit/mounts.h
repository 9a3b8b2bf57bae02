#pragma once
#include <map>
#include <set>
#include <span>
#include <string>

#include "base/mountinfo.h"
#include "posture/mount.h"

namespace guard::audit {

/// The mounts of a namespace in a container's own words. `sources`: "MAJOR:MINOR ROOT" -> the source path
/// that it stood for at launch; what is not among them and is no file system made afresh is named by its
/// device, so that it differs from everything declared. `host_tmpfs`: "MAJOR:MINOR" of this machine's own
/// ones, which are not made afresh, and where they are.
[[nodiscard]] MountTree tree_of(std::span<const MountLine> mounts,
                                const std::map<std::string, std::string>& sources,
                                const std::map<std::string, std::string>& host_tmpfs = {});

/// The places of mounts that are peers or followers of one of these groups: what is mounted below them on one
/// side appears on the other. A group that only the container has is its own affair. mount_namespaces(7)
[[nodiscard]] Grants<std::string> shared_places(std::span<const MountLine> mounts,
                                                const std::set<std::string>& groups);

}  // namespace guard::audit
