#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

namespace guard {

/// Controller -> path in its hierarchy, as /proc/PID/cgroup tells it; "" is the v2 hierarchy, "name=systemd"
/// a v1 hierarchy without controllers. cgroups(7)
using CgroupPaths = std::map<std::string, std::string>;

/// The lines of /proc/PID/cgroup. Controllers mounted together ("cpu,cpuacct") get an entry each; a line that
/// makes no sense is left out.
[[nodiscard]] CgroupPaths parse_proc_cgroup(std::string_view text);
/// The same, read. `root` is put before "/proc", so that a test can give a folder.
[[nodiscard]] Result<CgroupPaths> cgroups_of(pid_t pid, const std::string& root = "");

/// Where one hierarchy is mounted.
struct CgroupMount {
    std::string folder;  ///< absolute
    std::string shows;   ///< the part of the hierarchy that is at `folder`: "/" where it is all of it
    bool operator==(const CgroupMount&) const = default;
};

/// Which cgroup hierarchies this host has and where.
struct CgroupLayout {
    enum class Kind : std::uint8_t { none, v1, hybrid, v2 };
    Kind kind = Kind::none;
    std::map<std::string, CgroupMount>
        mounts;                         ///< v1: by controller; "" is the v2 hierarchy, if there is one
    std::set<std::string> controllers;  ///< that a limit can use: mounted ones, on v2 those offered

    [[nodiscard]] bool unified() const { return kind == Kind::v2; }
};
/// "v1", "v1 and v2 (hybrid)", ...
[[nodiscard]] std::string_view layout_name(CgroupLayout::Kind kind);

/// Reads /proc/self/mountinfo; where two mounts lie on one place, the last one counts. Fails where it can't
/// be read, never for want of cgroups. `root` is put before every path read.
[[nodiscard]] Result<CgroupLayout> find_cgroup_layout(const std::string& root = "");

/// The folder of `path` (as in /proc/PID/cgroup) in the hierarchy of `controller`; none where that hierarchy
/// is not mounted or its mount does not show that part.
[[nodiscard]] std::optional<std::string> cgroup_folder(const CgroupLayout& layout,
                                                       const std::string& controller,
                                                       const std::string& path);
/// The reverse: the path in the hierarchy of a folder below the mount of `controller`.
[[nodiscard]] std::optional<std::string> cgroup_path(const CgroupLayout& layout,
                                                     const std::string& controller,
                                                     const std::string& folder);

}  // namespace guard
