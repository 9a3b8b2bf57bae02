#include "base/cgroup_layout.h"

#include <algorithm>
#include <array>

#include "base/mountinfo.h"
#include "base/split.h"
#include "base/sys.h"

namespace guard {
namespace {

// Among the options of a v1 hierarchy these are its controllers. cgroups(7)
constexpr auto kV1Controllers =
    std::to_array<std::string_view>({"cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer",
                                     "net_cls", "perf_event", "net_prio", "hugetlb", "pids", "rdma", "misc"});

bool is_controller(const std::string& option) {
    return option.starts_with("name=") || std::ranges::find(kV1Controllers, option) != kV1Controllers.end();
}

void add_v1(const MountLine& mount, const CgroupMount& where, CgroupLayout& layout) {
    for (const auto& option : mount.super_options) {
        if (!is_controller(option)) continue;
        layout.mounts[option] = where;
        if (!option.starts_with("name=")) layout.controllers.insert(option);
    }
}

// The rest of `path` below `above`, which starts with "/" or is empty; none where it is not below.
std::optional<std::string> below(std::string_view path, std::string_view above) {
    if (above == "/") above = "";
    if (!path.starts_with(above)) return std::nullopt;
    path.remove_prefix(above.size());
    if (path.empty() || path == "/") return "";
    if (path.front() != '/') return std::nullopt;
    return std::string(path);
}

}  // namespace

CgroupPaths parse_proc_cgroup(std::string_view text) {
    CgroupPaths paths;
    for (const auto line : lines_of(text)) {
        const auto first = line.find(':');
        const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second == std::string_view::npos) continue;
        const auto controllers = line.substr(first + 1, second - first - 1);
        const std::string path(line.substr(second + 1));
        if (controllers.empty()) paths[""] = path;
        for (const auto controller : split(controllers, ',')) paths[std::string(controller)] = path;
    }
    return paths;
}

Result<CgroupPaths> cgroups_of(pid_t pid, const std::string& root) {
    return parse_proc_cgroup(TRY(sys::read_file(root + "/proc/" + std::to_string(pid) + "/cgroup")));
}

std::string_view layout_name(CgroupLayout::Kind kind) {
    constexpr std::array<std::string_view, 4> kNames{"no cgroups", "cgroups v1", "cgroups v1 and v2 (hybrid)",
                                                     "cgroups v2"};
    return kNames.at(static_cast<std::size_t>(kind));
}

Result<CgroupLayout> find_cgroup_layout(const std::string& root) {
    CgroupLayout layout;
    const auto text = TRY(sys::read_file(root + "/proc/self/mountinfo"));
    for (const auto& mount : visible_mounts(TRY(parse_mountinfo(text)))) {
        const CgroupMount where{root + mount.place, mount.root};
        if (mount.type == "cgroup") add_v1(mount, where, layout);
        if (mount.type == "cgroup2") layout.mounts[""] = where;
    }
    const bool has_v2 = layout.mounts.contains("");
    if (!layout.controllers.empty()) {
        layout.kind = has_v2 ? CgroupLayout::Kind::hybrid : CgroupLayout::Kind::v1;
    } else if (has_v2) {
        layout.kind = CgroupLayout::Kind::v2;
        const auto offered = TRY(sys::read_file(layout.mounts[""].folder + "/cgroup.controllers"));
        for (const auto line : lines_of(offered))
            for (const auto word : words_of(line)) layout.controllers.emplace(word);
    }
    return layout;
}

std::optional<std::string> cgroup_folder(const CgroupLayout& layout, const std::string& controller,
                                         const std::string& path) {
    const auto mount = layout.mounts.find(controller);
    if (mount == layout.mounts.end()) return std::nullopt;
    const auto rest = below(path, mount->second.shows);
    if (!rest) return std::nullopt;
    return mount->second.folder + *rest;
}

std::optional<std::string> cgroup_path(const CgroupLayout& layout, const std::string& controller,
                                       const std::string& folder) {
    const auto mount = layout.mounts.find(controller);
    if (mount == layout.mounts.end()) return std::nullopt;
    const auto rest = below(folder, mount->second.folder);
    if (!rest) return std::nullopt;
    const auto& shows = mount->second.shows;
    const auto path = (shows == "/" ? std::string() : shows) + *rest;
    return path.empty() ? "/" : path;
}

}  // namespace guard
