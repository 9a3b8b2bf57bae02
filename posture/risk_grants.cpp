#include "posture/risk_grants.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "posture/compare.h"
#include "posture/words.h"

namespace guard::grants {
namespace {

using Paths = std::span<const std::string_view>;

// The ids below are those of this machine's own users; container ranges begin above. login.defs(5)
// SUB_UID_MIN
constexpr std::uint32_t kFirstSubordinateId = 100'000;

constexpr std::array<std::string_view, 9> kRuntimeSockets{
    "/run/docker.sock",           "/var/run/docker.sock",     "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",    "/run/crio/crio.sock",      "/run/incus/unix.socket",
    "/var/lib/incus/unix.socket", "/var/lib/lxd/unix.socket", "/run/k3s/containerd/containerd.sock"};
constexpr std::array<std::string_view, 13> kSystemPaths{"/etc",  "/root", "/boot",  "/usr", "/bin",
                                                        "/sbin", "/lib",  "/lib64", "/opt", "/home",
                                                        "/var",  "/run",  "/srv"};
// What stands below these is run or obeyed; below the others it is data.
constexpr std::array<std::string_view, 8> kRunPaths{"/etc", "/root", "/boot", "/usr",
                                                    "/bin", "/sbin", "/lib",  "/opt"};
// guard's own; below /var/lib/guard only what begins with a dot is, the rest is data of containers.
constexpr std::array<std::string_view, 4> kGuardPaths{"/etc/guard", "/run/guard", "/var/cache/guard",
                                                      "/var/lib/guard/.state"};
constexpr std::array<std::string_view, 6> kKernelFileSystems{
    "/sys/kernel/debug",         "/sys/kernel/tracing", "/sys/kernel/security",
    "/sys/firmware/efi/efivars", "/sys/fs/bpf",         "/sys/fs/selinux"};
constexpr std::array<std::string_view, 3> kReveals{"/proc/sys", "/proc/sysrq-trigger", "/proc/kcore"};
constexpr std::array<std::string_view, 3> kMemoryDevices{"/dev/mem", "/dev/kmem", "/dev/port"};
constexpr std::array<std::string_view, 9> kDisks{"/dev/sd",  "/dev/hd",      "/dev/vd",
                                                 "/dev/xvd", "/dev/nvme",    "/dev/mmcblk",
                                                 "/dev/dm-", "/dev/mapper/", "/dev/md"};
constexpr std::array<std::string_view, 8> kLargeDrivers{"/dev/kvm",  "/dev/vhost-", "/dev/net/tun",
                                                        "/dev/dri",  "/dev/nvidia", "/dev/fuse",
                                                        "/dev/loop", "/dev/kfd"};

// "/proc" is below "/", "/proc" and not below "/pro".
bool is_below(std::string_view path, std::string_view folder) {
    if (folder == "/") return path.starts_with('/');
    return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}
bool starts_with_any(std::string_view text, Paths beginnings) {
    return std::ranges::any_of(beginnings, [text](auto beginning) { return text.starts_with(beginning); });
}
// The folder holds one of the paths, or is one.
bool shows_any(std::string_view folder, Paths paths) {
    return std::ranges::any_of(paths, [folder](auto path) { return is_below(path, folder); });
}
bool is_below_any(std::string_view path, Paths folders) {
    return std::ranges::any_of(folders, [path](auto folder) { return is_below(path, folder); });
}

// The mount that an item is about: "/srv/www write" is about the mount at "/srv/www".
const Mount* mount_of(const std::string& item, const Posture& posture) {
    const auto* tree = value_of(posture.mounts);
    if (tree == nullptr) return nullptr;
    for (std::string_view place = item;; place = place.substr(0, place.rfind(' '))) {
        if (const auto found = tree->find(std::string(place)); found != tree->end()) return &found->second;
        if (place.find(' ') == std::string_view::npos) return nullptr;
    }
}
bool has(const Mount& mount, MountGrant grant) { return mount.grants.all.contains(grant); }

// The path outside that a mount shows, without its last slash; empty for what the kernel makes afresh.
std::string source_of(const Mount& mount) {
    auto source = mount.source;
    while (source.size() > 1 && source.ends_with('/')) source.pop_back();
    return mount.type == "bind" || mount.type == "directory" ? source : std::string();
}
// As source_of, of mounts that may be written to.
std::string written_source(const std::string& item, const Posture& posture) {
    const auto* mount = mount_of(item, posture);
    return mount != nullptr && has(*mount, MountGrant::write) ? source_of(*mount) : std::string();
}

template <class Ask>
bool asks(const std::string& item, const Posture& posture, Ask ask) {
    const auto* mount = mount_of(item, posture);
    return mount != nullptr && ask(*mount);
}

bool writes_type(const std::string& item, const Posture& posture, std::string_view type) {
    return asks(item, posture,
                [type](const Mount& mount) { return mount.type == type && has(mount, MountGrant::write); });
}

const FilterRules* filter_of(const Posture& posture) { return value_of(posture.seccomp.access); }

// "/dev/kvm:rw" -> "/dev/kvm"
std::string_view path_of_device(std::string_view item) { return item.substr(0, item.rfind(':')); }

template <class Ask>
bool any_line(const std::string& item, const Posture& posture, Ask ask) {
    for (const auto* map : {value_of(posture.identity.uid_map), value_of(posture.identity.gid_map)})
        if (map != nullptr)
            for (const auto& line : map->all)
                if (in_words(line) == item && !line.own && line.count > 0 && ask(line)) return true;
    return false;
}

}  // namespace

bool may_gain_rights(const std::string&, const Posture& posture) {
    const auto* lock = value_of(posture.no_new_privs);
    return lock != nullptr && *lock == Lock::open;
}

bool is_user_zero(const std::string&, const Posture& posture) {
    const auto* uid = value_of(posture.identity.uid);
    return uid != nullptr && uid->value == 0;
}

bool maps_host_root(const std::string& item, const Posture& posture) {
    return any_line(item, posture, [](const IdLine& line) { return line.outside == 0; });
}

bool maps_host_users(const std::string& item, const Posture& posture) {
    return any_line(item, posture, [](const IdLine& line) { return line.outside < kFirstSubordinateId; });
}

bool is_host_namespace(const std::string& item, const Posture& posture) {
    const auto* all = value_of(posture.namespaces);
    const auto row = all == nullptr ? Named<Relation>::const_iterator{} : all->find(item);
    return all != nullptr && row != all->end() && row->second.to == Relation::To::host;
}

bool is_other_abi(const std::string& item, const Posture& posture) {
    const auto* rules = filter_of(posture);
    constexpr std::string_view kItem = "abi ";
    return rules != nullptr && item.starts_with(kItem) && rules->abis.contains(item.substr(kItem.size()));
}

bool lets_i386_in(const std::string&, const Posture& posture) {
    const auto* rules = filter_of(posture);
    return rules != nullptr && rules->abis.contains("i386");
}

bool is_open_default(const std::string& item, const Posture& posture) {
    const auto* rules = filter_of(posture);
    return rules != nullptr && item == kDeniedCalls &&
           (rules->on_denied == Denial::allow_and_log || rules->on_unknown == Denial::allow_and_log);
}

bool is_unknown_eperm(const std::string& item, const Posture& posture) {
    const auto* rules = filter_of(posture);
    return rules != nullptr && item == kUnknownCalls && rules->on_unknown == Denial::eperm;
}

bool is_narrowed(const std::string& item, const Posture& posture) {
    const auto* rules = filter_of(posture);
    const auto rule = rules == nullptr ? decltype(rules->calls)::const_iterator{} : rules->calls.find(item);
    return rules != nullptr && rule != rules->calls.end() && !rule->second.always();
}

bool shows_runtime_socket(const std::string& item, const Posture& posture) {
    return asks(item, posture, [](const Mount& mount) {
        const auto source = source_of(mount);
        return !source.empty() && shows_any(source, kRuntimeSockets);
    });
}

bool writes_system(const std::string& item, const Posture& posture) {
    const auto source = written_source(item, posture);
    return !source.empty() && shows_any(source, kSystemPaths);
}

bool writes_system_part(const std::string& item, const Posture& posture) {
    const auto source = written_source(item, posture);
    return !source.empty() && !shows_any(source, kSystemPaths) && is_below_any(source, kRunPaths);
}

bool writes_guard_files(const std::string& item, const Posture& posture) {
    const auto source = written_source(item, posture);
    return !source.empty() && (shows_any(source, kGuardPaths) || is_below_any(source, kGuardPaths));
}

bool writes_host_files(const std::string& item, const Posture& posture) {
    return written_source(item, posture).starts_with('/');
}

bool binds_proc(const std::string& item, const Posture& posture) {
    return asks(item, posture, [](const Mount& mount) {
        const auto source = source_of(mount);
        return !source.empty() && (is_below(source, "/proc") || source == "/");
    });
}

bool writes_cgroup_v1(const std::string& item, const Posture& posture) {
    return writes_type(item, posture, "cgroup") || is_below(written_source(item, posture), "/sys/fs/cgroup");
}

bool writes_cgroup_v2(const std::string& item, const Posture& posture) {
    return writes_type(item, posture, "cgroup2");
}

bool is_cgroup_v1(const std::string& item, const Posture& posture) {
    return asks(item, posture, [](const Mount& mount) {
        return mount.type == "cgroup" || is_below(source_of(mount), "/sys/fs/cgroup");
    });
}

bool opens_sysfs(const std::string& item, const Posture& posture) {
    const auto source = written_source(item, posture);
    const bool writes = is_below(source, "/sys") && !is_below(source, "/sys/fs/cgroup");
    return writes || writes_type(item, posture, "sysfs") || asks(item, posture, [](const Mount& mount) {
               return is_below_any(source_of(mount), kKernelFileSystems);
           });
}

bool is_minor_reveal(const std::string& item, const Posture&) {
    return std::ranges::find(kReveals, item) == kReveals.end();
}

bool is_write_exec(const std::string& item, const Posture& posture) {
    return asks(item, posture, [](const Mount& mount) {
        return has(mount, MountGrant::write) && has(mount, MountGrant::exec);
    });
}
bool is_suid(const std::string& item, const Posture& posture) {
    return asks(item, posture, [](const Mount& mount) { return has(mount, MountGrant::suid); });
}
bool is_dev(const std::string& item, const Posture& posture) {
    return asks(item, posture, [](const Mount& mount) { return has(mount, MountGrant::dev); });
}
bool is_root_write(const std::string& item, const Posture& posture) {
    const auto* tree = value_of(posture.mounts);
    const auto root = tree == nullptr ? MountTree::const_iterator{} : tree->find("/");
    return tree != nullptr && root != tree->end() && mount_of(item, posture) == &root->second &&
           has(root->second, MountGrant::write);
}

bool is_memory_or_disk(const std::string& item, const Posture&) {
    const auto path = path_of_device(item);
    return std::ranges::find(kMemoryDevices, path) != kMemoryDevices.end() || starts_with_any(path, kDisks);
}
bool is_large_driver(const std::string& item, const Posture&) {
    return starts_with_any(path_of_device(item), kLargeDrivers);
}
bool is_other_device(const std::string& item, const Posture& posture) {
    return !is_memory_or_disk(item, posture) && !is_large_driver(item, posture) &&
           !is_any_device(item, posture);
}
bool is_any_device(const std::string& item, const Posture&) { return item.starts_with("any device"); }
bool is_fuse(const std::string& item, const Posture&) { return path_of_device(item) == "/dev/fuse"; }

bool is_unlimited(const std::string& item, const Posture& posture) {
    const auto* limits = value_of(posture.limits);
    const auto row = limits == nullptr ? Named<Ceiling<std::uint64_t>>::const_iterator{} : limits->find(item);
    return limits != nullptr && (row == limits->end() || !row->second.most);
}

bool is_for_any(const std::string& item, const Posture&) { return item.starts_with("any:"); }

bool reaches_home(const std::string& item, const Posture&) {
    const auto target = std::string_view(item).substr(0, item.find(':'));
    return target == "lan" || target == "any" || target == "host";
}
bool reaches_internet(const std::string& item, const Posture&) { return item == "internet"; }

}  // namespace guard::grants
