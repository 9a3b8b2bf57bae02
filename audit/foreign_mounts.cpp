#include "audit/foreign_mounts.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace guard::audit {
namespace {

// One hierarchy for the whole machine: its mounts have the same device everywhere, and are no bind.
constexpr auto kSharedByAll = std::to_array<std::string_view>({"cgroup", "cgroup2"});
constexpr auto kAfresh = std::to_array<std::string_view>({"tmpfs", "proc", "devpts", "mqueue"});
// Of the kernel too, and harmless only while nobody may write there.
constexpr auto kAfreshIfReadOnly = std::to_array<std::string_view>({"sysfs", "cgroup", "cgroup2"});
constexpr auto kGeneratedFiles =
    std::to_array<std::string_view>({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/passwd",
                                     "/etc/group", "/run/.containerenv", "/dev/shm"});

template <class Names>
bool has(const Names& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
}

bool is_below(std::string_view path, std::string_view folder) {
    return folder == "/" || path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

bool is_customary(const std::string& place, const Mount& mount) {
    if (has(kAfresh, mount.type)) return true;
    if (has(kAfreshIfReadOnly, mount.type)) return !mount.grants.all.contains(MountGrant::write);
    // Device nodes are told as devices; over a path of the kernel they hide it.
    return has(kGeneratedFiles, place) || is_below(mount.source, "/dev");
}

}  // namespace

std::map<std::string, std::string> host_paths(std::span<const MountLine> inside,
                                              std::span<const MountLine> host) {
    std::map<std::string, std::string> paths;
    for (const auto& line : inside) {
        if (has(kSharedByAll, line.type)) continue;
        const MountLine* nearest = nullptr;
        for (const auto& shown : host)
            if (shown.device == line.device && is_below(line.root, shown.root))
                if (nearest == nullptr || shown.root.size() > nearest->root.size()) nearest = &shown;
        if (nearest == nullptr) continue;
        const auto rest = nearest->root == "/" ? line.root : line.root.substr(nearest->root.size());
        auto path = (nearest->place == "/" ? "" : nearest->place) + (rest == "/" ? "" : rest);
        paths[line.device + " " + line.root] = path.empty() ? "/" : std::move(path);
    }
    return paths;
}

MountTree without_customary(const MountTree& observed, const MountTree& declared) {
    MountTree tree;
    for (const auto& [place, mount] : observed) {
        const auto expected = declared.find(place);
        if (expected == declared.end()) {
            if (!is_customary(place, mount)) tree[place] = mount;
            continue;
        }
        auto& kept = tree[place] = mount;
        // Whose ids appear inside is the business of the launcher's own id map.
        kept.idmap = expected->second.idmap;
        if (place == "/" && mount.source != "/") {
            kept.type = expected->second.type;
            kept.source = expected->second.source;
            kept.grants.all.erase(MountGrant::exec);  // an image that nothing could be run from is none
        }
    }
    return tree;
}

}  // namespace guard::audit
