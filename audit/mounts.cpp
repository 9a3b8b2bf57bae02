#include "audit/mounts.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/split.h"

namespace guard::audit {
namespace {

// File systems whose content the kernel makes for whoever mounts them: no path of the host is behind them.
constexpr auto kMadeAfresh =
    std::to_array<std::string_view>({"tmpfs", "proc", "sysfs", "devpts", "mqueue", "cgroup", "cgroup2",
                                     "overlay", "9p", "nfs", "nfs4", "cifs"});
struct Unit {
    char letter;
    unsigned shift;
};
constexpr auto kUnits = std::to_array<Unit>({{'k', 10}, {'m', 20}, {'g', 30}});

// "size=4096k" -> 4194304. tmpfs(5)
std::optional<std::uint64_t> size_in(const MountLine& line) {
    constexpr std::string_view kKey = "size=";
    const auto option = std::ranges::find_if(line.super_options,
                                             [](std::string_view text) { return text.starts_with(kKey); });
    if (option == line.super_options.end()) return std::nullopt;
    auto digits = std::string_view(*option).substr(kKey.size());
    unsigned shift = 0;
    for (const auto& unit : kUnits)
        if (digits.ends_with(unit.letter)) shift = unit.shift;
    if (shift != 0) digits.remove_suffix(1);
    const auto number = number_of<std::uint64_t>(digits);
    return number ? std::optional(*number << shift) : std::nullopt;
}

using Places = std::map<std::string, std::string>;

Mount kind_of(const MountLine& line, const Places& sources, const Places& host_tmpfs) {
    Mount mount;
    const auto host = line.type == "tmpfs" ? host_tmpfs.find(line.device) : host_tmpfs.end();
    if (const auto source = sources.find(line.device + " " + line.root); source != sources.end()) {
        mount.type = "bind";
        mount.source = source->second;
    } else if (host != host_tmpfs.end()) {
        mount.type = "bind";
        mount.source = line.root == "/" ? host->second : host->second + line.root;
    } else if (line.place == "/" && line.type == "tmpfs" && line.root == "/") {
        mount.type = "host";  // the generated root over the host's /usr
    } else if (std::ranges::find(kMadeAfresh, line.type) != kMadeAfresh.end()) {
        mount.type = line.type;
    } else {
        mount.type = "bind";
        mount.source = line.root + " on " + line.type + " device " + line.device;
    }
    return mount;
}

}  // namespace

MountTree tree_of(std::span<const MountLine> mounts, const Places& sources, const Places& host_tmpfs) {
    MountTree tree;
    for (const auto& line : mounts) {
        auto mount = kind_of(line, sources, host_tmpfs);
        for (const auto& row : kMountGrants) {
            // Either the mount or its whole file system may be read-only.
            const bool denied =
                line.has(row.denied) || (row.grant == MountGrant::write && line.super_has(row.denied));
            if (!denied) mount.grants.all.insert(row.grant);
        }
        if (line.type == "tmpfs" && mount.type != "bind") mount.size.most = size_in(line);
        mount.idmap = line.has("idmapped");
        tree.insert_or_assign(line.place, std::move(mount));
    }
    return tree;
}

Grants<std::string> shared_places(std::span<const MountLine> mounts, const std::set<std::string>& groups) {
    Grants<std::string> places;
    for (const auto& line : mounts)
        for (const auto& word : line.propagation)  // "shared:12", "master:12"
            if (groups.contains(word.substr(word.find(':') + 1))) places.all.insert(line.place);
    return places;
}

}  // namespace guard::audit
