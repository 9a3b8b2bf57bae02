#include "launcher/plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/time_offsets.h"
#include "launcher/reaper.h"
#include "launcher/start_file.h"
#include "posture/program.h"
#include "posture/securebits.h"

namespace guard::launcher {
namespace {

using Kind = PathFacts::Kind;

constexpr std::string_view kPath = "/usr/local/bin:/usr/bin:/bin";

template <class T>
T value_or_none(const Known<T>& known) {
    const auto* value = value_of(known);
    return value == nullptr ? T{} : *value;
}

bool needs(const LaunchPlan& plan, const std::string& feature) {
    return !plan.profile.service.optional.contains(feature);
}

Result<void> plan_namespaces(LaunchPlan& plan) {
    const auto namespaces = value_or_none(plan.profile.posture.namespaces);
    for (const auto& row : kNamespaces) {
        const auto found = namespaces.find(std::string(row.name));
        const auto relation = found == namespaces.end() ? Relation{} : found->second;
        if (relation.to == Relation::To::own) plan.namespaces |= row.clone_flag;
        if (relation.to == Relation::To::peer)
            return fail(fmt::format("join the {} namespace of {}", row.name, relation.whom),
                        "this version of guard cannot join another container's namespaces", "write \"new\"");
    }
    plan.own_users = (plan.namespaces & CLONE_NEWUSER) != 0;
    if ((plan.namespaces & CLONE_NEWNS) == 0)
        return fail("plan the mounts", "they need an own mount namespace");
    if ((plan.namespaces & CLONE_NEWPID) == 0)
        return fail("plan the processes", "this version of guard needs an own pid namespace",
                    "write pid = \"new\"");
    const auto& service = plan.profile.service;
    if ((plan.namespaces & CLONE_NEWTIME) != 0)
        plan.time_offsets = fmt::format(
            "monotonic {} {}\nboottime {} {}\n", service.monotonic_offset.count() / 1000,
            service.monotonic_offset.count() % 1000 * 1'000'000, service.boottime_offset.count() / 1000,
            service.boottime_offset.count() % 1000 * 1'000'000);
    return {};
}

Result<std::string> id_map_of(const std::set<IdLine>& lines, std::uint32_t base, std::string_view what,
                              std::uint32_t needed) {
    std::string text;
    bool has_needed = false, has_root = false;
    for (const auto& line : lines) {
        const auto outside = line.own ? base + line.outside : line.outside;
        if (outside == 0)
            return fail(fmt::format("map {} ids", what), "an id inside would be root of this machine",
                        "map it to an id that nobody has");
        text += fmt::format("{} {} {}\n", line.inside, outside, line.count);
        has_needed |= needed >= line.inside && needed - line.inside < line.count;
        has_root |= line.inside == 0;
    }
    if (!has_needed)
        return fail(fmt::format("map {} ids", what),
                    fmt::format("{} {} of `process.user` is in no line of the map", what, needed),
                    "add a line that holds it, or choose another user");
    if (!has_root)
        return fail(fmt::format("map {} ids", what), "0 is in no line of the map: guard needs it to set up",
                    "add a line for inside = 0");
    return text;
}

Result<void> plan_users(LaunchPlan& plan) {
    const auto& identity = plan.profile.posture.identity;
    plan.payload.uid = value_or_none(identity.uid).value;
    plan.payload.gid = value_or_none(identity.gid).value;
    for (const auto gid : value_or_none(identity.groups).all) plan.payload.groups.push_back(gid);
    if (!plan.own_users) return {};
    plan.uid_map =
        TRY(id_map_of(value_or_none(identity.uid_map).all, plan.ids.base, "user", plan.payload.uid));
    plan.gid_map =
        TRY(id_map_of(value_or_none(identity.gid_map).all, plan.ids.base, "group", plan.payload.gid));
    return {};
}

void plan_capabilities(LaunchPlan& plan) {
    const auto& caps = plan.profile.posture.caps;
    auto& payload = plan.payload;
    payload.bounding = value_or_none(caps.bounding).mask;
    payload.permitted = value_or_none(caps.permitted).mask;
    payload.effective = value_or_none(caps.effective).mask;
    payload.inheritable = value_or_none(caps.inheritable).mask;
    payload.ambient = value_or_none(caps.ambient).mask;
    const auto bits = value_or_none(plan.profile.posture.securebits);
    for (const auto& row : kSecureBits)
        if (const auto bit = bits.find(std::string(row.name)); bit != bits.end() && bit->second == Lock::held)
            payload.securebits |= row.bit;
    // With noroot the ambient set alone survives exec, for user 0 too. capabilities(7)
    if ((payload.securebits & SECBIT_NOROOT) != 0) payload.inheritable = payload.ambient = payload.permitted;
    plan.init.securebits = payload.securebits;
}

std::string environment_value(const LaunchPlan& plan, const std::string& key, std::string otherwise) {
    for (const auto& entry : plan.environment)
        if (entry.starts_with(key + "=")) return entry.substr(key.size() + 1);
    return otherwise;
}

void plan_environment(LaunchPlan& plan, const HostFacts& host) {
    std::map<std::string, std::string> all{
        {"PATH", std::string(kPath)}, {"HOME", plan.workdir}, {"USER", plan.profile.service.users.name}};
    for (const auto& key : plan.profile.service.env_pass)
        if (const auto found = host.environment.find(key); found != host.environment.end())
            all[key] = found->second;
    for (const auto& [key, value] : plan.profile.service.env)
        all[key] = filled_in(value, plan.data, plan.name);
    for (const auto& [key, value] : all) plan.environment.push_back(key + "=" + value);
}

void plan_programs(LaunchPlan& plan) {
    const auto& program = plan.command.front();
    if (program.find('/') != std::string::npos) {
        plan.programs = {program};
        return;
    }
    const auto path = environment_value(plan, "PATH", std::string(kPath)) + ":";
    for (std::size_t at = 0, colon = 0; (colon = path.find(':', at)) != std::string::npos; at = colon + 1)
        if (colon > at) plan.programs.push_back(path.substr(at, colon - at) + "/" + program);
}

Result<void> plan_rlimits(LaunchPlan& plan, const HostFacts& host) {
    const auto declared = value_or_none(plan.profile.posture.rlimits);
    for (const auto& row : kRlimits) {
        const auto number = static_cast<std::size_t>(row.number);
        const std::string name(row.name);
        const auto hard = declared.find(name), soft = declared.find(name + ":soft");
        const auto& own = host.rlimits.at(number);
        // What lets a program put itself before others is the caller's alone, unless the profile gives it.
        if ((name == "nice" || name == "rtprio") && hard == declared.end() && own.rlim_max != 0)
            plan.rlimits.at(number) = rlimit{0, 0};
        if (hard == declared.end() && soft == declared.end()) continue;
        const auto value = [&own](const Ceiling<std::uint64_t>& bound) -> rlim_t {
            if (!bound.most) return RLIM_INFINITY;
            return *bound.most == kHostHardLimit ? own.rlim_max : *bound.most;
        };
        rlimit limit{};
        limit.rlim_max = hard != declared.end() ? value(hard->second) : own.rlim_max;
        limit.rlim_cur = soft != declared.end() ? value(soft->second) : limit.rlim_max;
        limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
        // A handler that core_pattern pipes to runs at 0, and not at 1. core(5)
        if (name == "core" && limit.rlim_max == 0) limit = {1, 1};
        if (limit.rlim_cur != own.rlim_cur || limit.rlim_max != own.rlim_max) plan.rlimits.at(number) = limit;
    }
    return {};
}

Result<void> plan_files(LaunchPlan& plan, const HostFacts& host) {
    if (!plan.profile.service.landlock) return {};
    if (host.landlock_abi == 0) {
        if (needs(plan, "landlock"))
            return fail("hold the file rules (Landlock)", "this kernel has none, or it is switched off",
                        "start Linux 5.13 or newer with lsm=landlock,..., or add optional = [\"landlock\"]");
        plan.notices.emplace_back("the file rules (Landlock) are not held: this kernel has none");
        return {};
    }
    MountTree tree;
    for (const auto& planned : plan.mounts) tree.emplace(planned.place, planned.mount);
    plan.landlock = plan_landlock(plan.profile.posture, tree, host.landlock_abi);
    for (const auto& gap : plan.landlock.gaps)
        plan.notices.push_back(
            fmt::format("Landlock here is version {}, too old to hold: {}", host.landlock_abi, gap));
    return {};
}

Named<Ceiling<std::uint64_t>> expected_rlimits(const LaunchPlan& plan, const HostFacts& host) {
    Named<Ceiling<std::uint64_t>> all;
    const auto bound = [](rlim_t value) {
        return value == RLIM_INFINITY ? Ceiling<std::uint64_t>{} : Ceiling<std::uint64_t>{value};
    };
    for (const auto& row : kRlimits) {
        const auto number = static_cast<std::size_t>(row.number);
        const auto limit = plan.rlimits.at(number).value_or(host.rlimits.at(number));
        all[std::string(row.name)] = bound(limit.rlim_max);
        all[std::string(row.name) + ":soft"] = bound(limit.rlim_cur);
    }
    return all;
}

void expect_landlock(Posture& posture, const LaunchPlan& plan) {
    if (!plan.landlock.enabled) {
        if (plan.profile.service.landlock)
            posture.landlock.domain = Absent{"this kernel has no Landlock"};
        else
            posture.landlock.domain = Lock::open;
        return;
    }
    posture.landlock.domain = Lock::held;
    constexpr std::uint64_t kExecute = 1U << 0U, kWriteFile = 1U << 1U, kReadFile = 1U << 2U;
    for (const auto& rule : plan.landlock.rules) {
        if ((rule.access & kReadFile) != 0) made(posture.landlock.read).all.insert(rule.place);
        if ((rule.access & kWriteFile) != 0) made(posture.landlock.write).all.insert(rule.place);
        if ((rule.access & kExecute) != 0) made(posture.landlock.execute).all.insert(rule.place);
    }
}

void expect_routes(Posture& posture, const LaunchPlan& plan) {
    if (plan.network.mode != NetworkMode::bridge) return;
    auto& routes = made(posture.network.routes).all;
    const auto add = [&routes](const char* to, const std::string& via) {
        routes.insert(fmt::format("{} via {} on eth0", to, via));
    };
    add("0.0.0.0/0", plan.network.gateway4);
    if (!plan.network.address6.empty()) add("::/0", std::string(kLinkLocalGateway));
}

}  // namespace

Posture expected_posture(const LaunchPlan& plan, const HostFacts& host) {
    Posture posture = plan.profile.posture;
    MountTree tree;
    for (const auto& planned : plan.mounts) {
        auto& mount = tree[planned.place] = planned.mount;
        mount.recursive = false;
        if (planned.place == "/")
            mount.type = planned.make == PlannedMount::Make::fresh ? "host" : "directory";
    }
    posture.mounts = std::move(tree);
    posture.caps.inheritable = CapabilitySet{plan.payload.inheritable};
    posture.caps.ambient = CapabilitySet{plan.payload.ambient};
    posture.rlimits = expected_rlimits(plan, host);
    posture.hostname = Exact<std::string>{plan.hostname};
    posture.seccomp.filters = Floor<unsigned>{1 + host.filters};
    if (auto* interfaces = value_of(posture.network.interfaces); interfaces != nullptr) {
        if ((plan.namespaces & CLONE_NEWNET) != 0) interfaces->all.insert("lo");
        if (plan.network.mode == NetworkMode::bridge) interfaces->all.insert("eth0");
    }
    expect_landlock(posture, plan);
    expect_routes(posture, plan);
    std::vector<std::string> names;
    for (const auto& entry : plan.environment) names.push_back(entry.substr(0, entry.find('=')));
    expect_of_program(posture, names);
    posture.no_terminal = plan.stdio == Stdio::terminal ? Lock::open : Lock::held;
    posture.clocks = Exact<std::string>{time_offsets_in_words(plan.time_offsets)};
    if (host.lsm_label)
        posture.lsm = Exact<std::string>{*host.lsm_label};
    else
        posture.lsm = Absent{"no security module of this kernel gives labels"};
    return posture;
}

Posture reaper_posture(const LaunchPlan& plan) {
    Posture posture = plan.expected;
    posture.identity.uid = Exact<std::uint32_t>{plan.init.uid};
    posture.identity.gid = Exact<std::uint32_t>{plan.init.gid};
    posture.identity.groups = Grants<std::uint32_t>{};
    for (auto* set : {&posture.caps.bounding, &posture.caps.permitted, &posture.caps.effective,
                      &posture.caps.inheritable, &posture.caps.ambient})
        *set = CapabilitySet{};
    posture.seccomp.access = reaper_rules();
    posture.undumpable = posture.no_terminal = posture.program.write_exec = Lock::held;
    posture.handles.sockets = Grants<std::string>{{"its supervisor"}};
    posture.program.loader = Grants<std::string>{};  // its environment was wiped
    posture.clocks = Exact<std::string>{"in step"};
    if (auto* namespaces = value_of(posture.namespaces); namespaces != nullptr && !plan.time_offsets.empty())
        (*namespaces)["time"] = {Relation::To::host, ""};  // only what it forks enters the new clocks
    return posture;
}

Result<LaunchPlan> plan_from(const Profile& profile, const std::string& name,
                             const std::vector<std::string>& command, const HostFacts& host,
                             CgroupPlan cgroup, NetworkPlan network) {
    LaunchPlan plan;
    plan.profile = profile;
    plan.name = name;
    plan.ids = host.ids;
    plan.data = host.data;
    plan.cgroup = std::move(cgroup);
    plan.network = std::move(network);
    plan.command = command.empty() ? profile.service.command : command;
    if (plan.command.empty())
        return fail("launch " + name, "its profile names no command", "add -- and the command to run");
    plan.workdir = profile.service.workdir;
    plan.hostname = profile.service.network.hostname.empty() ? name : profile.service.network.hostname;
    plan.stdio = host.terminal ? Stdio::terminal : Stdio::pipes;
    plan.interactive = profile.service.stdin_mode == Stdin::keep || (host.terminal && !command.empty());
    plan.umask = value_or_none(profile.posture.umask).value;
    plan.personality = value_or_none(profile.posture.personality).value;
    plan.memfd_noexec = host.memfd_noexec;
    if (const auto* adjust = value_of(profile.posture.oom_score_adj)) plan.oom_score_adj = adjust->least;
    if (const auto* access = value_of(profile.posture.seccomp.access)) plan.log_denied = access->log_denied;
    const auto data = host.paths.find(host.data);
    plan.make_data = data == host.paths.end() || data->second.kind == Kind::missing;
    CHECK(plan_namespaces(plan));
    CHECK(plan_users(plan));
    plan_capabilities(plan);
    plan_environment(plan, host);
    plan_programs(plan);
    CHECK(plan_root(plan, host));
    if (!plan.make_data)  // else it is made by this launch, and looked into then
        CHECK(check_start_file(plan, [&host](const std::string& path) {
            const auto facts = host.paths.find(path);
            return facts != host.paths.end() && facts->second.kind == PathFacts::Kind::missing;
        }));
    CHECK(plan_rlimits(plan, host));
    CHECK(plan_files(plan, host));
    for (const auto& gap : plan.cgroup.gaps) plan.notices.push_back(gap);
    plan.expected = expected_posture(plan, host);
    plan.reaper = reaper_posture(plan);
    return plan;
}

}  // namespace guard::launcher
