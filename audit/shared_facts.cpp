#include "audit/shared_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cerrno>

#include "audit/hostname.h"
#include "audit/known.h"
#include "base/proc_net.h"
#include "base/sys.h"
#include "posture/limit_files.h"

namespace guard::audit {
namespace {

// A UDP socket on a port of the ephemeral range is a client that waits for an answer, as far as anybody can
// see; below it, somebody chose the port. ip(7) ip_local_port_range
constexpr std::uint16_t kFirstEphemeralPort = 32'768;

Result<std::vector<IdMapLine>> read_id_map(int folder, const char* file) {
    const auto text = TRY(sys::read_file(folder, file));
    return parse_id_map(text);
}

Result<std::vector<MountLine>> read_mounts(int folder) {
    const auto text = TRY(sys::read_file(folder, "mountinfo"));
    return visible_mounts(TRY(parse_mountinfo(text)));
}

Result<std::set<std::string>> read_interfaces(int folder) {
    const auto text = TRY(sys::read_file(folder, "net/dev"));
    const auto names = parse_interfaces(text);
    return std::set(names.begin(), names.end());
}

struct SocketList {
    const char* file;
    Transport transport;
    const char* suffix;
};
constexpr auto kSocketLists = std::to_array<SocketList>({{"net/tcp", Transport::tcp, "/tcp"},
                                                         {"net/tcp6", Transport::tcp, "/tcp"},
                                                         {"net/udp", Transport::udp, "/udp"},
                                                         {"net/udp6", Transport::udp, "/udp"}});

Result<std::set<std::string>> read_listening(int folder) {
    std::set<std::string> ports;
    for (const auto& [file, transport, suffix] : kSocketLists) {
        const auto text = sys::read_file(folder, file);
        if (!text && text.error().code == ENOENT) continue;  // a kernel without IPv6
        if (!text) return std::unexpected(text.error());
        for (const auto& socket : TRY(parse_listening(*text, transport)))
            if (transport == Transport::tcp || socket.port < kFirstEphemeralPort)
                ports.insert(std::to_string(socket.port) + suffix);
    }
    return ports;
}

// One directory of device files; `deeper` levels below it are looked at too, for /dev/dri and the like.
Result<void> add_devices(std::set<DeviceNode>& found, int dir, const std::string& path, unsigned deeper) {
    for (const auto& name : TRY(sys::list_directory(dir, "."))) {
        const auto status = sys::fstatat(dir, name, AT_SYMLINK_NOFOLLOW);
        if (!status) continue;  // gone meanwhile
        const auto inside = path + "/" + name;
        const bool is_char = S_ISCHR(status->st_mode);
        if (is_char || S_ISBLK(status->st_mode))
            found.insert({inside, std::string(is_char ? "c " : "b ") +
                                      std::to_string(major(status->st_rdev)) + ":" +
                                      std::to_string(minor(status->st_rdev))});
        if (!S_ISDIR(status->st_mode) || deeper == 0 || inside == "/dev/pts" || inside == "/dev/shm")
            continue;
        const auto below = TRY(sys::openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
        CHECK(add_devices(found, below.get(), inside, deeper - 1));
    }
    return {};
}

Result<std::set<DeviceNode>> read_devices(int folder) {
    const auto root = TRY(sys::openat(folder, "root", O_PATH | O_DIRECTORY));
    const auto dev = sys::open_in_root(root.get(), "/dev", O_RDONLY | O_DIRECTORY);
    std::set<DeviceNode> found;
    if (!dev && dev.error().code == ENOENT) return found;
    if (!dev) return std::unexpected(dev.error());
    CHECK(add_devices(found, dev->get(), "/dev", 2));
    return found;
}

Result<CgroupTexts> read_cgroup(const CgroupLayout& layout, const std::string& controller,
                                const std::string& path) {
    CgroupTexts texts;
    const auto folder = cgroup_folder(layout, controller, path);
    if (!folder) return fail("read the limits of cgroup " + path, "its hierarchy is not mounted here");
    const auto opened = TRY(sys::open(*folder, O_RDONLY | O_DIRECTORY));
    const auto read = [&](const std::string& file) -> Result<void> {
        auto text = sys::read_file(opened.get(), file);
        if (text) texts[file] = *std::move(text);
        // At the root of a hierarchy a limit has no file; ENODEV and EOPNOTSUPP: this one is switched off.
        const bool no_such_limit = !text && (text.error().code == ENOENT || text.error().code == EOPNOTSUPP ||
                                             text.error().code == ENODEV);
        if (!text && !no_such_limit) return std::unexpected(text.error());
        return {};
    };
    for (const auto& file : limit_file_names(layout.unified() ? CgroupFiles::v2 : CgroupFiles::v1))
        if (layout.unified() || file.controller == controller) CHECK(read(file.file));
    if (layout.unified() || controller == "cpuset")
        for (const auto* file : {"cpuset.cpus", "cpuset.cpus.effective", "cpuset.effective_cpus"})
            CHECK(read(file));
    if (controller == "devices") CHECK(read("devices.list"));
    return texts;
}

// The cgroup of the task and those above it, so that the tightest limit of the way can be told.
void read_cgroups(SharedFacts& shared, const TaskFacts& facts) {
    for (const auto& [controller, path] : facts.cgroups) {
        if (shared.layout.unified() != controller.empty() || controller.starts_with("name=")) continue;
        for (auto at = path;; at.erase(std::max<std::size_t>(at.rfind('/'), 1))) {
            const auto key = std::pair{controller, at};
            if (shared.cgroups.contains(key)) break;
            shared.cgroups[key] = known(read_cgroup(shared.layout, controller, at));
            if (at.size() <= 1) break;
        }
    }
}

// `read` what this task's namespace of that type has, where it is the first one met in there.
template <class Map, class Read>
void once(Map& map, const TaskFacts& facts, std::string_view row, Read&& read) {
    const auto* id = value_of(facts.namespaces.at(namespace_row(row)));
    if (id != nullptr && !map.contains(*id)) map.emplace(*id, read(*id));
}

}  // namespace

std::size_t namespace_row(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(kNamespaces, name, &NamespaceRow::name) -
                                    kNamespaces.begin());
}

void read_shared(SharedFacts& shared, const TaskFacts& facts, const TaskDetails& details,
                 const NamespaceTable& namespaces, int folder) {
    once(shared.users, facts, "user", [folder](std::uint64_t) {
        return UserMaps{known(read_id_map(folder, "uid_map")), known(read_id_map(folder, "gid_map"))};
    });
    once(shared.networks, facts, "network", [folder](std::uint64_t) {
        return NetworkFacts{known(read_interfaces(folder)), known(read_listening(folder))};
    });
    once(shared.hostnames, facts, "uts",
         [&namespaces](std::uint64_t id) { return known(hostname_in(namespaces.descriptor_of(id))); });
    read_cgroups(shared, facts);
    const auto* id = value_of(facts.namespaces.at(namespace_row("mount")));
    const auto* root = value_of(details.root);
    const std::pair key{id == nullptr ? 0 : *id, root == nullptr ? std::string() : *root};
    if (!shared.trees.contains(key))
        shared.trees.emplace(key, TreeFacts{known(read_mounts(folder)), known(read_devices(folder))});
}

}  // namespace guard::audit
