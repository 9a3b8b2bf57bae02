#include "audit/shared_facts.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ranges>
#include <span>

#include "audit/hostname.h"
#include "audit/known.h"
#include "audit/network_facts.h"
#include "base/sys.h"
#include "posture/limit_files.h"

namespace guard::audit {
namespace {

Result<std::vector<IdMapLine>> read_id_map(int folder, const char* file) {
    const auto text = TRY(sys::read_file(folder, file));
    return parse_id_map(text);
}

Result<std::vector<MountLine>> read_mounts(int folder) {
    const auto text = TRY(sys::read_file(folder, "mountinfo"));
    return parse_mountinfo(text);
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

Result<UniqueFd> ask_bpf(int command, bpf_attr& attributes, const char* what) {
    const auto answer = static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
    if (answer < 0) return fail_errno(what, errno);
    return UniqueFd(command == BPF_PROG_GET_FD_BY_ID ? answer : -1);
}

// bpf(2) BPF_OBJ_GET_INFO_BY_FD
Result<std::uint64_t> loaded_at(std::uint32_t id) {
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);  // the kernel refuses padding that is not 0
    attributes.prog_id = id;
    const auto program = TRY(ask_bpf(BPF_PROG_GET_FD_BY_ID, attributes, "open a device program"));
    bpf_prog_info info{};
    std::memset(&attributes, 0, sizeof attributes);
    attributes.info.bpf_fd = static_cast<std::uint32_t>(program.get());
    attributes.info.info_len = sizeof info;
    attributes.info.info = reinterpret_cast<std::uint64_t>(&info);
    CHECK(ask_bpf(BPF_OBJ_GET_INFO_BY_FD, attributes, "look at a device program"));
    return info.load_time;
}

// bpf(2) BPF_PROG_QUERY
Result<std::vector<std::uint64_t>> device_programs_of(int cgroup) {
    std::array<std::uint32_t, 64> ids{};  // as many as a cgroup can have
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    attributes.query.target_fd = static_cast<std::uint32_t>(cgroup);
    attributes.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.query.prog_ids = reinterpret_cast<std::uint64_t>(ids.data());
    attributes.query.prog_cnt = ids.size();
    CHECK(ask_bpf(BPF_PROG_QUERY, attributes, "ask for the device programs of a cgroup"));
    std::vector<std::uint64_t> times;
    for (const auto id : std::span(ids).first(attributes.query.prog_cnt)) times.push_back(TRY(loaded_at(id)));
    return times;
}

Result<CgroupOwner> read_owner(const CgroupLayout& layout, const std::string& controller,
                               const std::string& path) {
    const auto folder = cgroup_folder(layout, controller, path);
    if (!folder) return fail("look at cgroup " + path, "its hierarchy is not mounted here");
    const auto opened = TRY(sys::open(*folder, O_RDONLY | O_DIRECTORY));
    const auto status = TRY(sys::fstat(opened.get()));
    return CgroupOwner{status.st_uid, status.st_gid, status.st_mode,
                       layout.unified() ? known(device_programs_of(opened.get()))
                                        : Known<std::vector<std::uint64_t>>(Absent{"cgroup v1 has files"})};
}

TreeFacts read_tree(int folder) {
    TreeFacts tree;
    auto lines = read_mounts(folder);
    if (!lines)
        return {
            known<std::vector<MountLine>>(std::unexpected(lines.error())), known(read_devices(folder)), {}};
    // A handle on a namespace or a process is one wherever it was opened: no mount of such makes it a file.
    const auto holds_files = [](const MountLine& line) {
        return line.type != "nsfs" && line.type != "pidfs";
    };
    for (const auto& line : *lines | std::views::filter(holds_files))
        tree.writable[static_cast<std::uint64_t>(line.id)] = !line.has("ro") && !line.super_has("ro");
    tree.mounts = visible_mounts(*std::move(lines));
    tree.devices = known(read_devices(folder));
    return tree;
}

// The cgroup of the task and those above it, so that the tightest limit of the way can be told.
void read_cgroups(SharedFacts& shared, const TaskFacts& facts) {
    for (const auto& [controller, path] : facts.cgroups) {
        if (shared.layout.unified() != controller.empty() || controller.starts_with("name=")) continue;
        for (auto at = path;; at.erase(std::max<std::size_t>(at.rfind('/'), 1))) {
            const auto key = std::pair{controller, at};
            if (shared.cgroups.contains(key)) break;
            shared.cgroups[key] = known(read_cgroup(shared.layout, controller, at));
            shared.owners[key] = known(read_owner(shared.layout, controller, at));
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

void SharedFacts::merge(SharedFacts other) {
    users.merge(other.users);
    networks.merge(other.networks);
    hostnames.merge(other.hostnames);
    trees.merge(other.trees);
    cgroups.merge(other.cgroups);
    owners.merge(other.owners);
    clocks.merge(other.clocks);
}

std::size_t namespace_row(std::string_view name) {
    return static_cast<std::size_t>(std::ranges::find(kNamespaces, name, &NamespaceRow::name) -
                                    kNamespaces.begin());
}

std::set<std::string> peer_groups(std::span<const MountLine> mounts) {
    constexpr std::string_view kPeers = "shared:";
    std::set<std::string> groups;
    for (const auto& line : mounts)
        for (const auto& word : line.propagation)
            if (word.starts_with(kPeers)) groups.insert(word.substr(kPeers.size()));
    return groups;
}

TreeKey tree_key(const TaskFacts& facts, const TaskDetails& details) {
    const auto* id = value_of(facts.namespaces.at(namespace_row("mount")));
    const auto* root = value_of(details.root);
    return {id == nullptr ? 0 : *id, root == nullptr ? Place{} : *root};
}

void read_shared(SharedFacts& shared, const TaskFacts& facts, const TaskDetails& details,
                 const NamespaceTable& namespaces, int folder) {
    once(shared.users, facts, "user", [folder](std::uint64_t) {
        return UserMaps{known(read_id_map(folder, "uid_map")), known(read_id_map(folder, "gid_map"))};
    });
    once(shared.networks, facts, "network", [folder, &namespaces](std::uint64_t id) {
        const auto netns = namespaces.descriptor_of(id);
        return NetworkFacts{known(read_interfaces(folder)), known(read_listening(folder, netns)),
                            known(read_route_words(folder)), known(read_filter_tables(folder, netns)),
                            known(read_network_settings(netns))};
    });
    once(shared.clocks, facts, "time",
         [folder](std::uint64_t) { return known(sys::read_file(folder, "timens_offsets")); });
    once(shared.hostnames, facts, "uts",
         [&namespaces](std::uint64_t id) { return known(hostname_in(namespaces.descriptor_of(id))); });
    read_cgroups(shared, facts);
    const auto key = tree_key(facts, details);
    if (!shared.trees.contains(key)) shared.trees.emplace(key, read_tree(folder));
}

}  // namespace guard::audit
