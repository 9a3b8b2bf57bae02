#include "launcher/cgroup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/process.h"
#include "base/split.h"
#include "base/sys.h"

namespace guard::launcher {
namespace {

constexpr mode_t kFolderMode = 0755;
constexpr int kTries = 10;

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// systemd marks a cgroup that it handed over with Delegate=; a user's own is his by its owner.
bool is_delegated(const std::string& folder) {
    std::array<char, 8> value{};
    for (const auto* mark : {"trusted.delegate", "user.delegate"})
        if (::getxattr(folder.c_str(), mark, value.data(), value.size()) == 1 && value[0] == '1') return true;
    return ::geteuid() != 0 && ::access((folder + "/cgroup.subtree_control").c_str(), W_OK) == 0;
}

/// v1: what every container has a leaf of, for a limit, for what the JVM and Node read inside, or to end it.
constexpr auto kV1Leaves =
    std::to_array<std::string_view>({"memory", "cpu", "cpuacct", "cpuset", "pids", "devices", "freezer"});
/// v1: those a JVM wants to see, all four or none. They are mounted afresh inside.
constexpr auto kSeenInside = std::to_array<std::string_view>({"memory", "cpu", "cpuacct", "cpuset", "pids"});

// Makes the plan, limit by limit.
class Planner {
public:
    Planner(const CgroupHost& host, const std::set<std::string>& optional)
        : host_(host), optional_(optional) {}
    Result<CgroupPlan> plan(const Posture& posture, const std::string& name);

private:
    [[nodiscard]] const CgroupLayout& layout() const { return host_.layout; }
    [[nodiscard]] CgroupFiles version() const { return plan_.unified ? CgroupFiles::v2 : CgroupFiles::v1; }
    [[nodiscard]] std::string leaf_of(const std::string& controller) const {
        return plan_.leaves.at(plan_.unified ? "" : controller);
    }
    Result<void> lacking(const std::string& key, const std::string& what);
    Result<void> add_leaf(const std::string& controller, const std::string& name);
    Result<void> add_v1_leaves(const std::string& name, bool limits_io);
    Result<void> add_v2_leaf(const std::string& name);
    Result<void> add_limit(const std::string& item, const Limits& all, const DeviceNumbers& devices);
    [[nodiscard]] bool has_controller(const LimitFile& file) const;
    [[nodiscard]] bool has_file(const LimitFile& file) const;
    Result<void> add_limits(const Limits& limits);
    Result<void> add_cpuset(const Grants<std::uint32_t>& wanted);
    Result<void> add_devices(const Grants<std::string>& declared);
    void finish();

    const CgroupHost& host_;
    const std::set<std::string>& optional_;
    CgroupPlan plan_;
};

// A feature this host lacks: let pass where the profile says that it may, else an end of the launch.
Result<void> Planner::lacking(const std::string& key, const std::string& what) {
    if (optional_.contains(key)) {
        plan_.gaps.push_back(fmt::format("{} is not enforced: {}", key, what));
        return {};
    }
    return fail("enforce " + key, what,
                fmt::format("let this host lack it with: optional = [\"{}\"] in the profile", key));
}

Result<void> Planner::add_leaf(const std::string& controller, const std::string& name) {
    const auto& mount = layout().mounts.at(controller);
    auto above = mount.folder;
    if (plan_.unified && host_.delegated) {
        const auto own = host_.own.find("");
        const auto folder = own == host_.own.end() ? std::nullopt : cgroup_folder(layout(), "", own->second);
        if (!folder) return fail("find the own cgroup", "its part of the hierarchy is not mounted");
        above = *folder;
    }
    plan_.leaves[controller] = above + "/guard/" + name;
    plan_.paths[controller] = cgroup_path(layout(), controller, plan_.leaves[controller]).value();
    if (plan_.unified) plan_.start = above;
    return {};
}

Result<void> Planner::add_v1_leaves(const std::string& name, bool limits_io) {
    for (const auto controller : kV1Leaves)
        if (layout().controllers.contains(std::string(controller)))
            CHECK(add_leaf(std::string(controller), name));
    if (limits_io && layout().controllers.contains("blkio")) CHECK(add_leaf("blkio", name));
    // cgroup.kill of the v2 side ends a whole container in one step.
    if (layout().kind == CgroupLayout::Kind::hybrid &&
        ::access(layout().mounts.at("").folder.c_str(), W_OK) == 0)
        CHECK(add_leaf("", name));
    for (const auto controller : kSeenInside)
        if (plan_.leaves.contains(std::string(controller))) plan_.mount_inside.emplace_back(controller);
    return {};
}

Result<void> Planner::add_v2_leaf(const std::string& name) {
    CHECK(add_leaf("", name));
    if (host_.delegated) plan_.step_aside = plan_.start + "/guard-supervisor";
    // Memory, cpu and pids also tell what is used, limited or not.
    for (const auto* controller : {"memory", "cpu", "pids"})
        if (layout().controllers.contains(controller)) plan_.enable.insert(controller);
    return {};
}

bool Planner::has_controller(const LimitFile& file) const {
    return layout().controllers.contains(file.controller);
}

// v1 shows these files in the root too; a kernel built without the feature, or told swapaccount=0, has them
// nowhere.
bool Planner::has_file(const LimitFile& file) const {
    constexpr auto kMayLack =
        std::to_array<std::string_view>({"memory.memsw.limit_in_bytes", "cpu.cfs_quota_us", "blkio.weight"});
    if (plan_.unified || std::ranges::find(kMayLack, file.file) == kMayLack.end()) return true;
    return exists(layout().mounts.at(file.controller).folder + "/" + file.file);
}

Result<void> Planner::add_limit(const std::string& item, const Limits& all, const DeviceNumbers& devices) {
    const auto key = "limits." + item.substr(0, item.find(' '));
    auto files = limit_files(version(), item, all, devices);
    if (!files) {
        plan_.limits.erase(item);
        return lacking(key, describe(files.error()));
    }
    for (auto& file : *files) {
        const auto missing = !has_controller(file) ? fmt::format("this host has no controller {} ({})",
                                                                 file.controller, layout_name(layout().kind))
                             : !has_file(file)     ? "this kernel has no " + file.file
                                                   : std::string();
        if (!missing.empty()) {
            plan_.limits.erase(item);
            return lacking(key, missing);
        }
        if (plan_.unified) plan_.enable.insert(file.controller);
        plan_.writes.push_back({leaf_of(file.controller), file.file, file.text, key});
    }
    return {};
}

Result<DeviceNumbers> device_numbers(const Limits& limits) {
    DeviceNumbers numbers;
    for (const auto& [item, bound] : limits) {
        const auto words = words_of(item);
        if (words.size() != 3) continue;
        const std::string path(words[1]);
        const auto status = sys::fstatat(AT_FDCWD, path);
        if (status && S_ISBLK(status->st_mode))
            numbers[path] = fmt::format("{}:{}", major(status->st_rdev), minor(status->st_rdev));
    }
    return numbers;
}

Result<void> Planner::add_limits(const Limits& limits) {
    constexpr std::uint64_t kNormalWeight = 100;
    plan_.limits = kept_limits(version(), limits, static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    const auto devices = TRY(device_numbers(limits));
    for (const auto& [item, ceiling] : limits) {
        const auto* const row = limit_row(item);
        // A new leaf has no limit and the normal share.
        const bool as_born = !ceiling.most || (row != nullptr && row->unit == LimitUnit::weight &&
                                               *ceiling.most == kNormalWeight);
        if (!as_born) CHECK(add_limit(item, limits, devices));
    }
    return {};
}

Result<void> Planner::add_cpuset(const Grants<std::uint32_t>& wanted) {
    if (!layout().controllers.contains("cpuset")) {
        if (wanted.all.empty()) return {};
        return lacking("limits.cpuset", "this host has no controller cpuset");
    }
    // A new cpuset of v1 has neither cores nor memory, and takes no process until it has both.
    const auto above = plan_.unified ? plan_.start : layout().mounts.at("cpuset").folder;
    const auto* const all_file = plan_.unified ? "/cpuset.cpus.effective" : "/cpuset.cpus";
    const auto all_text = TRY(sys::read_file(above + all_file));
    const auto all = TRY(parse_cpu_list(all_text));
    if (!std::ranges::includes(all.all, wanted.all))
        return fail("limit the cores to " + format_cpu_list(wanted),
                    "this machine has " + format_cpu_list(all), "change limits.cpuset");
    plan_.cpuset = wanted == all ? Grants<std::uint32_t>{} : wanted;
    const auto& cores = wanted.all.empty() ? all : wanted;
    if (plan_.unified) {
        if (wanted.all.empty()) return {};
        plan_.enable.insert("cpuset");
        plan_.writes.push_back({leaf_of("cpuset"), "cpuset.cpus", format_cpu_list(cores), "limits.cpuset"});
        return {};
    }
    auto memory = TRY(sys::read_file(above + "/cpuset.mems"));
    while (memory.ends_with('\n')) memory.pop_back();
    plan_.writes.push_back({leaf_of("cpuset"), "cpuset.cpus", format_cpu_list(cores), "limits.cpuset"});
    plan_.writes.push_back({leaf_of("cpuset"), "cpuset.mems", memory, "limits.cpuset"});
    return {};
}

Result<void> Planner::add_devices(const Grants<std::string>& declared) {
    auto rules = TRY(device_rules(declared));
    if (plan_.unified) {
        if (host_.is_root) {
            plan_.devices = std::move(rules);
        } else {
            plan_.gaps.emplace_back("devices are held by the file tree alone: a device program needs root");
        }
        return {};
    }
    if (!layout().controllers.contains("devices"))
        return lacking("filesystem.devices", "this host has no controller devices");
    const auto leaf = leaf_of("devices");
    plan_.writes.push_back({leaf, "devices.deny", "a", "filesystem.devices"});
    for (const auto& rule : rules)
        plan_.writes.push_back({leaf, "devices.allow", device_line(rule), "filesystem.devices"});
    return {};
}

void Planner::finish() {
    std::set<std::string> seen;  // two controllers may be mounted together
    for (const auto& [controller, folder] : plan_.leaves)
        if (seen.insert(folder).second) plan_.will_make.push_back({Made::Kind::cgroup, folder, controller});
}

Result<CgroupPlan> Planner::plan(const Posture& posture, const std::string& name) {
    const auto* const limits = value_of(posture.limits);
    const auto* const cpuset = value_of(posture.cpuset);
    const auto* const devices = value_of(posture.devices);
    const Limits none;
    const auto& wanted = limits == nullptr ? none : *limits;
    plan_.unified = layout().unified();
    if (layout().kind == CgroupLayout::Kind::none) {
        for (const auto& [item, bound] : wanted)
            if (bound.most)
                CHECK(lacking("limits." + item.substr(0, item.find(' ')), "no cgroups are mounted here"));
        return std::move(plan_);
    }
    const bool limits_io =
        std::ranges::any_of(wanted, [](const auto& row) { return row.first.starts_with("io-"); });
    CHECK(plan_.unified ? add_v2_leaf(name) : add_v1_leaves(name, limits_io));
    CHECK(add_limits(wanted));
    CHECK(add_cpuset(cpuset == nullptr ? Grants<std::uint32_t>{} : *cpuset));
    CHECK(add_devices(devices == nullptr ? Grants<std::string>{} : *devices));
    finish();
    return std::move(plan_);
}

// --- making ---

// cpuset of v1: a new folder has nothing until it is given what the one above has.
Result<void> fill_cpuset(const std::string& folder) {
    for (const auto* file : {"/cpuset.cpus", "/cpuset.mems"}) {
        const auto now = sys::read_file(folder + file);
        if (!now || now->find_first_of("0123456789") != std::string::npos)
            continue;  // v2, another controller, or done
        const auto above = folder.substr(0, folder.rfind('/'));
        CHECK(sys::write_file(folder + file, TRY(sys::read_file(above + file))));
    }
    return {};
}

Result<void> make_folder(const std::string& path) {
    if (::mkdir(path.c_str(), kFolderMode) < 0 && errno != EEXIST)
        return fail_errno("make cgroup " + path, errno);
    return {};
}

// The shared folder above may be removed by the end of another container between the two calls: tried again.
Result<void> make_leaf(const std::string& leaf, bool is_cpuset) {
    const auto above = leaf.substr(0, leaf.rfind('/'));
    for (int tried = 0;; ++tried) {
        CHECK(make_folder(above));
        if (is_cpuset)
            if (const auto filled = fill_cpuset(above); !filled && filled.error().code != ENOENT)
                return filled;
        if (::mkdir(leaf.c_str(), kFolderMode) == 0) return {};
        if (errno == ENOENT && tried < kTries) continue;
        if (errno != EEXIST || tried == kTries) return fail_errno("make cgroup " + leaf, errno);
        // Left by a guard that could not record it. An empty one can be taken away; one with processes can't.
        if (::rmdir(leaf.c_str()) < 0 && errno != ENOENT)
            return fail_errno("make cgroup " + leaf, errno,
                              "it is there already and in use: see its cgroup.procs");
    }
}

// Every process in `from` goes to `to`: a v2 cgroup that hands out controllers may hold no process of its
// own.
Result<void> move_processes(const std::string& from, const std::string& to) {
    CHECK(make_folder(to));
    for (int round = 0; round < kTries; ++round) {
        const auto text = TRY(sys::read_file(from + "/cgroup.procs"));
        const auto pids = lines_of(text);
        if (pids.empty()) return {};
        for (const auto pid : pids) {
            const auto moved = sys::write_file(to + "/cgroup.procs", pid);
            if (!moved && moved.error().code != ESRCH) return moved;
        }
    }
    return fail_errno("move the processes of " + from + " aside", EBUSY);
}

Result<void> enable_in(const std::string& folder, const std::set<std::string>& controllers,
                       const std::string& step_aside) {
    const auto file = folder + "/cgroup.subtree_control";
    const auto text = TRY(sys::read_file(file));
    std::string wanted;
    for (const auto& controller : controllers)
        if (const auto words = words_of(lines_of(text).empty() ? "" : lines_of(text).front());
            std::ranges::find(words, controller) == words.end())
            wanted += (wanted.empty() ? "+" : " +") + controller;
    if (wanted.empty()) return {};
    auto done = sys::write_file(file, wanted);
    if (!done && done.error().code == EBUSY && !step_aside.empty()) {
        CHECK(move_processes(folder, step_aside));
        done = sys::write_file(file, wanted);
    }
    if (!done && done.error().code == EBUSY)
        done.error().fix =
            "processes live in that cgroup itself: start guard by systemd-run --scope -p Delegate=yes";
    if (!done && done.error().code == ENOENT)
        done.error().fix = "a controller is not handed down to that cgroup: its unit needs Delegate=yes";
    return done;
}

Result<void> make_v2_leaf(const CgroupPlan& plan) {
    const auto& leaf = plan.leaves.at("");
    const auto above = leaf.substr(0, leaf.rfind('/'));
    for (int tried = 0;; ++tried) {
        CHECK(make_folder(above));
        CHECK(enable_in(plan.start, plan.enable, plan.step_aside));
        const auto enabled = enable_in(above, plan.enable, "");
        auto made = enabled ? make_leaf(leaf, false) : enabled;
        if (made || made.error().code != ENOENT || tried == kTries) return made;
    }
}

}  // namespace

Result<CgroupHost> this_cgroup_host() {
    CgroupHost host{TRY(find_cgroup_layout()), TRY(cgroups_of(::getpid())), ::geteuid() == 0, false};
    if (!host.layout.unified()) return host;
    const auto own = host.own.find("");
    const auto folder = own == host.own.end() ? std::nullopt : cgroup_folder(host.layout, "", own->second);
    // A second launch from the same scope finds itself where the first one moved it.
    if (folder && folder->ends_with("/guard-supervisor")) {
        host.own[""] = own->second.substr(0, own->second.rfind('/'));
        host.delegated = true;
    } else {
        host.delegated = folder && own->second != "/" && is_delegated(*folder);
    }
    return host;
}

Result<CgroupPlan> plan_cgroup_on(const CgroupHost& host, const Posture& posture,
                                  const std::set<std::string>& optional, const std::string& name) {
    return Planner(host, optional).plan(posture, name);
}

Result<CgroupPlan> plan_cgroup(const Posture& posture, const std::set<std::string>& optional,
                               const std::string& name) {
    return plan_cgroup_on(TRY(this_cgroup_host()), posture, optional, name);
}

Result<CgroupDoors> make_cgroup(const CgroupPlan& plan) {
    const auto cpuset = plan.leaves.find("cpuset");
    for (const auto& made : plan.will_make)
        CHECK(plan.unified
                  ? make_v2_leaf(plan)
                  : make_leaf(made.what, cpuset != plan.leaves.end() && made.what == cpuset->second));
    for (const auto& [folder, file, value, key] : plan.writes) {
        auto done = sys::write_file(folder + "/" + file, value);
        if (done) continue;
        done.error().attempt = fmt::format("enforce {}: write \"{}\" to {}/{}", key, value, folder, file);
        return std::unexpected(done.error());
    }
    CgroupDoors doors;
    for (const auto& made : plan.will_make)
        if (made.detail.empty())
            doors.leaf = TRY(sys::open(made.what, O_RDONLY | O_DIRECTORY));
        else
            doors.tasks.push_back(TRY(sys::open(made.what + "/tasks", O_WRONLY)));
    if (!plan.devices.empty()) CHECK(attach_device_program(device_program(plan.devices), doors.leaf.get()));
    return doors;
}

}  // namespace guard::launcher
