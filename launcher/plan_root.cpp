#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "launcher/plan.h"

// The file tree inside: what stands in the generated root, and every mount.
namespace guard::launcher {
namespace {

using Make = PlannedMount::Make;
using Target = PlannedMount::Target;
using Kind = PathFacts::Kind;

constexpr std::uint64_t kRootSize = 4ULL << 20U, kTmpfsSize = 64ULL << 20U, kPageSize = 4096;
constexpr std::uint32_t kTtyGroup = 5, kNobody = 65'534;

constexpr auto kDevices =
    std::to_array<std::string_view>({"null", "zero", "full", "random", "urandom", "tty"});
// Where Debian and others keep /usr merged these are links; elsewhere directories of their own.
constexpr auto kMerged = std::to_array<std::string_view>({"bin", "sbin", "lib", "lib32", "lib64", "libx32"});
constexpr auto kDirectories = std::to_array<std::string_view>(
    {"dev", "etc", "etc/ssl", "home", "proc", "root", "run", "srv", "sys", "usr", "var", "var/tmp"});
// Shared with the host, read-only: certificates, which `java` is meant, and a JVM's configuration, without
// which it does not start.
constexpr auto kEtcBinds = std::to_array<std::string_view>({"/etc/ssl/certs", "/etc/alternatives"});
constexpr std::string_view kJavaPrefix = "/etc/java-";

struct Link {
    std::string_view path, target;
};
constexpr auto kDeviceLinks = std::to_array<Link>({
    {"dev/fd", "/proc/self/fd"},
    {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"},
    {"dev/stderr", "/proc/self/fd/2"},
    {"dev/ptmx", "pts/ptmx"},
});
constexpr auto kRootLinks = std::to_array<Link>({
    {"etc/mtab", "/proc/self/mounts"},
    {"etc/os-release", "../usr/lib/os-release"},
    {"var/run", "/run"},
});

// Of the kernel's own files: what tells about, or changes, more than the container. `reveal` shows one again.
struct KernelPath {
    std::string_view place;
    Make make;
};
constexpr auto kKernelPaths = std::to_array<KernelPath>({
    {"/proc/acpi", Make::hidden_dir},
    {"/proc/asound", Make::hidden_dir},
    {"/proc/bus", Make::again},
    {"/proc/fs", Make::again},
    {"/proc/irq", Make::again},
    {"/proc/kcore", Make::hidden_file},
    {"/proc/keys", Make::hidden_file},
    {"/proc/latency_stats", Make::hidden_file},
    {"/proc/sched_debug", Make::hidden_file},
    {"/proc/scsi", Make::hidden_dir},
    {"/proc/sys", Make::again},
    {"/proc/sysrq-trigger", Make::again},
    {"/proc/timer_list", Make::hidden_file},
    {"/proc/timer_stats", Make::hidden_file},
});
constexpr auto kSysPaths = std::to_array<KernelPath>({
    {"/sys/devices/virtual/powercap", Make::hidden_dir},
    {"/sys/firmware", Make::hidden_dir},
});

struct FileSystem {
    std::string_view type;
    std::map<std::string, std::string> options;
};
const std::array kKernelFileSystems{
    FileSystem{"proc", {{"hidepid", "invisible"}}},
    FileSystem{"sysfs", {}},
    FileSystem{"mqueue", {}},
    FileSystem{"devpts", {{"ptmxmode", "0666"}, {"mode", "0620"}}},
};

const PathFacts& facts_of(const HostFacts& host, const std::string& path) {
    static const PathFacts kMissing;
    const auto found = host.paths.find(path);
    return found == host.paths.end() ? kMissing : found->second;
}

bool is_below(const std::string& path, const std::string& folder) {
    return path == folder || folder == "/" || path.starts_with(folder + "/");
}

Mount granting(std::string type, std::set<MountGrant> grants) {
    Mount mount;
    mount.type = std::move(type);
    mount.grants.all = std::move(grants);
    return mount;
}

Mount bind_of(std::string source, std::set<MountGrant> grants) {
    auto mount = granting("bind", std::move(grants));
    mount.source = std::move(source);
    return mount;
}

bool has_id(const LaunchPlan& plan, std::uint32_t id) {
    const auto* map = value_of(plan.profile.posture.identity.gid_map);
    if (!plan.own_users || map == nullptr) return true;
    return std::ranges::any_of(
        map->all, [id](const IdLine& line) { return id >= line.inside && id - line.inside < line.count; });
}

PlannedMount tmpfs_mount(const LaunchPlan& plan, const std::string& place, Mount mount) {
    PlannedMount planned{.place = place, .mount = std::move(mount)};
    auto& tmpfs = planned.mount;
    if (!tmpfs.size.most) tmpfs.size.most = kTmpfsSize;
    // The kernel counts whole pages and prints what it counts.
    tmpfs.size.most = (*tmpfs.size.most + kPageSize - 1) / kPageSize * kPageSize;
    if (!tmpfs.mode) tmpfs.mode = place == "/tmp" ? 01777 : 0755;
    planned.options = {{"size", std::to_string(*tmpfs.size.most)},
                       {"mode", fmt::format("{:o}", *tmpfs.mode)},
                       {"uid", std::to_string(plan.payload.uid)},
                       {"gid", std::to_string(plan.payload.gid)}};
    planned.closed_last = !tmpfs.grants.all.contains(MountGrant::write);
    return planned;
}

Result<PlannedMount> kernel_mount(const LaunchPlan& plan, const std::string& place, Mount mount) {
    const auto* const row = std::ranges::find(kKernelFileSystems, mount.type, &FileSystem::type);
    if (row == kKernelFileSystems.end())
        return fail(fmt::format("mount {} on {}", mount.type, place),
                    "this version of guard cannot make mounts of that type",
                    "mount it on the host, then give it with type = \"bind\"");
    PlannedMount planned{.place = place, .mount = std::move(mount), .options = row->options};
    if (row->type == "devpts" && has_id(plan, kTtyGroup)) planned.options["gid"] = std::to_string(kTtyGroup);
    return planned;
}

// A container that could write guard's own folders could forge its record or its next profile.
Result<void> check_not_private(const PlannedMount& planned, const HostFacts& host) {
    const auto& source = planned.mount.source;
    if (!planned.mount.grants.all.contains(MountGrant::write)) return {};
    for (const auto& path : host.private_paths) {
        const bool own_data = is_below(source, host.data) && !is_below(path, source);
        if (own_data || (!is_below(source, path) && !is_below(path, source))) continue;
        return fail(fmt::format("mount {} on {}", source, planned.place),
                    fmt::format("it would let the container write {}, which belongs to guard", path),
                    "give a narrower folder");
    }
    return {};
}

Result<void> check_owner(const LaunchPlan& plan, const PlannedMount& planned) {
    if (!planned.mount.grants.all.contains(MountGrant::write) || planned.source_uid != 0) return {};
    if (!plan.own_users) return {};
    return fail(
        fmt::format("mount {} on {}", planned.mount.source, planned.place),
        "it is to be writable, and it belongs to root of this machine: what the container leaves there "
        "would be root's",
        fmt::format("give it to another user (chown), or take `write` away"));
}

Result<PlannedMount> bind_mount(const LaunchPlan& plan, const HostFacts& host, const std::string& place,
                                Mount mount) {
    PlannedMount planned{.place = place, .mount = std::move(mount), .make = Make::outside};
    auto& source = planned.mount.source;
    source = filled_in(source, plan.data, plan.name);
    const auto& facts = facts_of(host, source);
    planned.source_is_file = facts.kind == Kind::file || facts.kind == Kind::other;
    planned.source_uid = facts.uid;
    planned.source_gid = facts.gid;
    if (facts.kind == Kind::missing) {
        // {data} is made at the first launch, and a source with `create` too; both belong to the user inside.
        const bool made = source == plan.data || plan.profile.service.create.contains(place);
        if (!made)
            return fail(fmt::format("mount {} on {}", source, place), "it does not exist",
                        fmt::format("mkdir -p {}, or write create = true", source));
        planned.source_uid = plan.ids.base + plan.payload.uid;
        planned.source_gid = plan.ids.base + plan.payload.gid;
    }
    if (!plan.own_users) planned.mount.idmap = false;
    CHECK(check_not_private(planned, host));
    CHECK(check_owner(plan, planned));
    return planned;
}

Result<PlannedMount> declared_mount(const LaunchPlan& plan, const HostFacts& host, const std::string& place,
                                    const Mount& mount) {
    if (mount.type == "bind") return bind_mount(plan, host, place, mount);
    if (mount.type == "tmpfs") return tmpfs_mount(plan, place, mount);
    return kernel_mount(plan, place, mount);
}

using Tree = std::map<std::string, PlannedMount>;

void add_device(Tree& tree, std::string_view name) {
    const auto place = "/dev/" + std::string(name);
    PlannedMount planned{.place = place, .mount = bind_of(place, {MountGrant::write, MountGrant::dev})};
    planned.make = Make::outside;
    planned.target = Target::new_file;
    planned.source_is_file = true;
    tree.try_emplace(place, std::move(planned));
}

// "/dev/dri/renderD128:rw", "/dev/fuse:r".
Result<void> add_declared_devices(Tree& tree, const LaunchPlan& plan, const HostFacts& host) {
    const auto* devices = value_of(plan.profile.posture.devices);
    if (devices == nullptr) return {};
    for (const auto& entry : devices->all) {
        const auto colon = entry.rfind(':');
        const auto path = entry.substr(0, colon);
        const bool write = colon == std::string::npos || entry.find('w', colon) != std::string::npos;
        if (facts_of(host, path).kind != Kind::other)
            return fail("give the device " + path, "there is no such device on this machine");
        std::set<MountGrant> grants{MountGrant::dev};
        if (write) grants.insert(MountGrant::write);
        PlannedMount planned{.place = path, .mount = bind_of(path, grants), .make = Make::outside};
        planned.source_is_file = true;
        tree.insert_or_assign(path, std::move(planned));
    }
    return {};
}

void add_kernel_paths(Tree& tree, const LaunchPlan& plan, const HostFacts& host,
                      std::span<const KernelPath> rows, const std::string& type) {
    const auto* revealed = value_of(plan.profile.posture.revealed);
    for (const auto& row : rows) {
        const std::string place(row.place);
        if (facts_of(host, place).kind == Kind::missing || tree.contains(place)) continue;
        if (revealed != nullptr && revealed->all.contains(place)) continue;
        PlannedMount planned{.place = place, .mount = granting(type, {}), .make = row.make};
        planned.target = Target::existing;
        if (row.make == Make::hidden_file) planned.mount = bind_of("/dev/null", {});
        if (row.make == Make::hidden_dir) {
            planned.mount = granting("tmpfs", {});
            planned.mount.size.most = kPageSize;
        }
        planned.source_is_file = row.make == Make::hidden_file;
        tree.emplace(place, std::move(planned));
    }
}

// A closed tmpfs of guard's own, for what is mounted in it.
PlannedMount own_tmpfs(const LaunchPlan& plan, const std::string& place) {
    auto mount = granting("tmpfs", {});
    mount.mode = 0755;
    mount.size.most = kRootSize;
    auto planned = tmpfs_mount(plan, place, std::move(mount));
    planned.options["uid"] = planned.options["gid"] = "0";
    return planned;
}

// What a JVM and Node read their limits from: fresh mounts of the own cgroups. With the host's mounts they
// would see the whole machine, or fail.
void add_cgroups(Tree& tree, const LaunchPlan& plan) {
    const std::string folder = "/sys/fs/cgroup";
    const auto add = [&tree](const std::string& place, const std::string& type, const std::string& options) {
        PlannedMount planned{.place = place, .mount = granting(type, {})};
        for (std::size_t at = 0; at < options.size();) {
            const auto comma = std::min(options.find(',', at), options.size());
            planned.options[options.substr(at, comma - at)] = "";
            at = comma + 1;
        }
        tree.try_emplace(place, std::move(planned));
    };
    if (plan.cgroup.unified) return add(folder, "cgroup2", "");
    // Sysfs has an empty directory there, in which nobody can make more.
    if (const auto sys = tree.find("/sys"); sys != tree.end() && sys->second.mount.type == "sysfs")
        tree.try_emplace(folder, own_tmpfs(plan, folder));
    for (const auto& controller : plan.cgroup.mount_inside)
        add(folder + "/" + controller, "cgroup", controller);
}

Mount sized_tmpfs(std::set<MountGrant> grants, unsigned mode) {
    auto mount = granting("tmpfs", std::move(grants));
    mount.mode = mode;
    return mount;
}

void add_built_in(Tree& tree, const LaunchPlan& plan, const HostFacts& host) {
    using enum MountGrant;
    const auto add_kernel = [&](const std::string& place, const std::string& type, std::set<MountGrant> all) {
        if (tree.contains(place)) return;
        auto mount = kernel_mount(plan, place, granting(type, std::move(all)));
        if (mount) tree.emplace(place, *std::move(mount));
    };
    add_kernel("/proc", "proc", {write});
    add_kernel("/dev/pts", "devpts", {write, dev});
    add_kernel("/dev/mqueue", "mqueue", {write});
    if (!tree.contains("/dev/shm"))
        tree.emplace("/dev/shm", tmpfs_mount(plan, "/dev/shm", sized_tmpfs({write}, 01777)));
    for (const auto& name : kDevices) add_device(tree, name);
    add_cgroups(tree, plan);
    if (tree.contains("/proc")) add_kernel_paths(tree, plan, host, kKernelPaths, "proc");
    if (const auto sys = tree.find("/sys"); sys != tree.end() && sys->second.mount.type == "sysfs")
        add_kernel_paths(tree, plan, host, kSysPaths, "sysfs");
}

void add_host_root(Tree& tree, LaunchPlan& plan, const HostFacts& host, const Mount& declared) {
    auto root = tmpfs_mount(plan, "/", declared);
    root.mount.size.most = kRootSize;
    root.options["size"] = std::to_string(kRootSize);
    root.options["uid"] = root.options["gid"] = "0";
    tree.emplace("/", std::move(root));
    const auto bind = [&tree](std::string_view place, std::set<MountGrant> grants) {
        PlannedMount planned{.place = std::string(place),
                             .mount = bind_of(std::string(place), std::move(grants))};
        planned.make = Make::outside;
        tree.try_emplace(planned.place, planned);
    };
    bind("/usr", {MountGrant::exec});
    for (const auto& name : kMerged) {
        const auto place = "/" + std::string(name);
        const auto& facts = facts_of(host, place);
        if (facts.kind == Kind::link) plan.links.push_back({std::string(name), facts.target});
        if (facts.kind == Kind::directory) bind(place, {MountGrant::exec});
    }
    for (const auto& place : kEtcBinds)
        if (facts_of(host, std::string(place)).kind == Kind::directory) bind(place, {});
    for (const auto& [path, facts] : host.paths)
        if (path.starts_with(kJavaPrefix) && facts.kind == Kind::directory) bind(path, {});
}

std::string passwd_line(const std::string& name, std::uint32_t uid, std::uint32_t gid,
                        const std::string& home) {
    return fmt::format("{}:x:{}:{}::{}:/usr/sbin/nologin\n", name, uid, gid, home);
}

void add_users(LaunchPlan& plan) {
    const auto& user = plan.profile.service.users.name;
    std::string passwd, group;
    if (plan.payload.uid != 0) passwd += passwd_line("root", 0, 0, "/root");
    passwd += passwd_line(user, plan.payload.uid, plan.payload.gid, plan.workdir);
    if (plan.payload.uid != kNobody) passwd += passwd_line("nobody", kNobody, kNobody, "/nonexistent");
    if (plan.payload.gid != 0) group += "root:x:0:\n";
    if (plan.payload.gid != kTtyGroup) group += "tty:x:5:\n";
    group += fmt::format("{}:x:{}:\n", user, plan.payload.gid);
    for (const auto gid : plan.payload.groups)
        if (gid != 0 && gid != kTtyGroup && gid != plan.payload.gid)
            group += fmt::format("group{}:x:{}:{}\n", gid, gid, user);
    if (plan.payload.gid != kNobody) group += "nogroup:x:65534:\n";
    plan.files.push_back({"etc/passwd", passwd});
    plan.files.push_back({"etc/group", group});
}

void add_names(LaunchPlan& plan) {
    const auto& host = plan.hostname;
    // A JVM looks its own host name up, and asks DNS where this file does not have it.
    std::string hosts = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
    const auto& own4 = plan.network.address4;
    hosts += fmt::format("{} {}\n", own4.empty() ? "127.0.1.1" : own4, host);
    if (!plan.network.address6.empty()) hosts += fmt::format("{} {}\n", plan.network.address6, host);
    std::string resolv;
    for (const auto& server : plan.network.nameservers) resolv += "nameserver " + server + "\n";
    plan.files.push_back({"etc/hosts", hosts});
    plan.files.push_back({"etc/hostname", host + "\n"});
    plan.files.push_back({"etc/resolv.conf", resolv});
    plan.files.push_back({"etc/nsswitch.conf",
                          "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\n"
                          "services: files\nprotocols: files\n"});
}

void add_generated_etc(LaunchPlan& plan, const HostFacts& host) {
    for (const auto& path : kDirectories) plan.directories.push_back({std::string(path), 0755});
    plan.directories.push_back({"tmp", 01777});
    add_users(plan);
    add_names(plan);
    for (const auto& [path, content] : host.files) plan.files.push_back({path.substr(1), content});
    const auto& localtime = facts_of(host, "/etc/localtime");
    if (localtime.kind == Kind::link) plan.links.push_back({"etc/localtime", localtime.target});
    for (const auto& [path, target] : kRootLinks)
        plan.links.push_back({std::string(path), std::string(target)});
}

Result<void> add_directory_root(Tree& tree, LaunchPlan& plan, const HostFacts& host, Mount declared) {
    const auto& source = plan.profile.service.root;
    const auto& facts = facts_of(host, source);
    if (facts.kind == Kind::missing)
        return fail("use " + source + " as root", "it does not exist", "give the path of a directory");
    if (facts.kind != Kind::directory)
        return fail("use " + source + " as root", "this version of guard needs a directory there",
                    "unpack or mount it, then give that directory");
    declared.type = "bind";
    declared.source = source;
    declared.grants.all.insert(MountGrant::exec);
    declared.idmap = false;
    PlannedMount root{.place = "/", .mount = std::move(declared), .make = Make::outside};
    root.source_uid = facts.uid;
    root.source_gid = facts.gid;
    CHECK(check_not_private(root, host));
    tree.emplace("/", std::move(root));
    // All of /dev is made anew: what an image has there is not to be trusted.
    tree.emplace("/dev", own_tmpfs(plan, "/dev"));
    tree.try_emplace("/sys", own_tmpfs(plan, "/sys"));
    return {};
}

// A recursive bind is one bind for each mount of the host below its source: each is a line of the plan.
void add_mounts_below(Tree& tree, const HostFacts& host) {
    const auto declared = tree;
    for (const auto& [place, planned] : declared) {
        if (!planned.mount.recursive || planned.make != Make::outside) continue;
        for (const auto& mounted : host.host_mounts) {
            if (mounted == planned.mount.source || !is_below(mounted, planned.mount.source)) continue;
            auto below = planned;
            below.place = place + mounted.substr(planned.mount.source.size());
            below.mount.source = mounted;
            below.target = Target::existing;
            tree.try_emplace(below.place, below);
        }
    }
}

// Whoever owns the mount around a place could have put a link there.
void choose_targets(Tree& tree) {
    for (auto& [place, planned] : tree) {
        if (place == "/" || planned.target == Target::existing) continue;
        const PlannedMount* around = nullptr;
        for (const auto& [other, mount] : tree)
            if (other != place && is_below(place, other)) around = &mount;
        const bool own = around != nullptr && around->make == Make::fresh &&
                         (around->mount.type == "tmpfs" || around->mount.type == "host");
        planned.target = !own                     ? Target::existing
                         : planned.source_is_file ? Target::new_file
                                                  : Target::new_directory;
    }
}

}  // namespace

std::string filled_in(std::string source, const std::string& data, const std::string& name) {
    const std::array<std::pair<std::string_view, const std::string*>, 2> words{
        {{"{data}", &data}, {"{name}", &name}}};
    for (const auto& [word, value] : words)
        for (auto at = source.find(word); at != std::string::npos; at = source.find(word, at + value->size()))
            source.replace(at, word.size(), *value);
    return source;
}

std::vector<std::string> paths_asked(const Profile& profile, const std::string& data,
                                     const std::string& name) {
    std::vector<std::string> paths{data, "/etc/localtime"};
    for (const auto& entry : kMerged) paths.push_back("/" + std::string(entry));
    for (const auto& place : kEtcBinds) paths.emplace_back(place);
    for (const auto& row : kKernelPaths) paths.emplace_back(row.place);
    if (profile.service.root != "host") paths.push_back(profile.service.root);
    if (const auto* devices = value_of(profile.posture.devices))
        for (const auto& entry : devices->all) paths.push_back(entry.substr(0, entry.rfind(':')));
    const auto* mounts = value_of(profile.posture.mounts);
    if (mounts == nullptr) return paths;
    for (const auto& [place, mount] : *mounts) {
        if (mount.type == "bind") paths.push_back(filled_in(mount.source, data, name));
        if (mount.type == "sysfs")
            for (const auto& row : kSysPaths) paths.emplace_back(row.place);
    }
    return paths;
}

Result<void> plan_root(LaunchPlan& plan, const HostFacts& host) {
    static const MountTree kNone{{"/", Mount{.type = "host"}}};
    const auto* const mounts = value_of(plan.profile.posture.mounts);
    const auto& declared = mounts == nullptr ? kNone : *mounts;
    const auto root = declared.contains("/") ? declared.at("/") : kNone.at("/");
    Tree tree;
    for (const auto& [place, mount] : declared)
        if (place != "/" && mount.type != "none")
            tree.emplace(place, TRY(declared_mount(plan, host, place, mount)));
    if (plan.profile.service.root == "host") {
        add_host_root(tree, plan, host, root);
        add_generated_etc(plan, host);
    } else {
        CHECK(add_directory_root(tree, plan, host, root));
        plan.early_mounts = 2;
    }
    add_built_in(tree, plan, host);
    CHECK(add_declared_devices(tree, plan, host));
    add_mounts_below(tree, host);
    choose_targets(tree);
    for (const auto& [path, target] : kDeviceLinks)
        plan.links.push_back({std::string(path), std::string(target)});
    if (plan.early_mounts == 2) plan.mounts = {tree.extract("/").mapped(), tree.extract("/dev").mapped()};
    for (auto& [place, planned] : tree) plan.mounts.push_back(std::move(planned));
    return {};
}

}  // namespace guard::launcher
