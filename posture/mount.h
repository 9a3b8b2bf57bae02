#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "posture/order.h"

namespace guard {

/// What a mount grants; all are off by default. mount_setattr(2)
enum class MountGrant : std::uint8_t { write, exec, suid, dev };
struct MountGrantRow {
    MountGrant grant;
    std::string_view name;    ///< as profiles write it
    std::string_view denied;  ///< as mountinfo writes its absence: "ro", "noexec"
    std::uint64_t attribute;  ///< MOUNT_ATTR_... that takes it away
};
inline constexpr auto kMountGrants = std::to_array<MountGrantRow>({
    {MountGrant::write, "write", "ro", 0x1},
    {MountGrant::exec, "exec", "noexec", 0x8},
    {MountGrant::suid, "suid", "nosuid", 0x2},
    {MountGrant::dev, "dev", "nodev", 0x4},
});

/// One mount, by its place inside (the key of the tree).
struct Mount {
    std::string type;    ///< bind tmpfs overlay proc sysfs devpts mqueue cgroup cgroup2 fuse nfs cifs 9p; for
                         ///< "/": host, directory
    std::string source;  ///< bind: the path outside, "{data}/www" before a launch; empty for what the kernel
                         ///< makes afresh
    Grants<MountGrant> grants;
    Ceiling<std::uint64_t> size;   ///< bytes a tmpfs may hold
    std::optional<unsigned> mode;  ///< of a tmpfs's root directory
    bool idmap =
        false;  ///< the host owner of `source` appears as the container's user, and no other id can write
    bool recursive = false;            ///< with the mounts below `source`
    std::vector<std::string> options;  ///< for overlay, fuse, nfs, cifs, 9p: as mount(8) takes them
    bool operator==(const Mount&) const = default;
};
using MountTree = std::map<std::string, Mount>;

}  // namespace guard
