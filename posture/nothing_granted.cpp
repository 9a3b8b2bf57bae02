#include "posture/limit.h"
#include "posture/network_settings.h"
#include "posture/posture.h"

namespace guard {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint32_t kOwnRange = 65'536;
constexpr std::uint32_t kFirstNamedUser = 999;

Named<Relation> own_namespaces() {
    Named<Relation> all;
    for (const auto& row : kNamespaces) all[std::string(row.name)] = {Relation::To::own, ""};
    all["time"] = {Relation::To::host, ""};  // in step with the host; an own one only with offsets
    return all;
}

Named<Lock> held_securebits() {
    Named<Lock> bits;
    for (const auto* name : {"noroot", "noroot-locked", "no-setuid-fixup", "no-setuid-fixup-locked",
                             "keep-caps-locked", "no-cap-ambient-raise", "no-cap-ambient-raise-locked"})
        bits[name] = Lock::held;
    return bits;
}

Named<Exact<std::string>> closed_settings() {
    Named<Exact<std::string>> settings;
    for (const auto& row : kNetworkSettings) settings[std::string(row.name)] = {std::string(row.value)};
    return settings;
}

}  // namespace

Posture nothing_granted() {
    Posture posture;
    posture.identity.uid = posture.identity.gid = Exact<std::uint32_t>{kFirstNamedUser};
    posture.identity.groups = Grants<std::uint32_t>{};
    posture.identity.uid_map = posture.identity.gid_map = Grants<IdLine>{{{0, true, 0, kOwnRange}}};
    for (auto* set : {&posture.caps.bounding, &posture.caps.permitted, &posture.caps.effective,
                      &posture.caps.inheritable, &posture.caps.ambient})
        *set = CapabilitySet{};
    posture.securebits = held_securebits();
    posture.no_new_privs = posture.seccomp.mode = posture.untraced = Lock::held;
    posture.landlock.domain = Lock::held;
    posture.seccomp.filters = Floor<unsigned>{1};
    posture.seccomp.content = Named<Lock>{};  // known when it is compiled
    posture.seccomp.access = FilterRules{};
    for (auto* paths : {&posture.landlock.read, &posture.landlock.write, &posture.landlock.execute})
        *paths = Grants<std::string>{};
    posture.namespaces = own_namespaces();
    posture.mounts = MountTree{{"/", Mount{.type = "host"}}};
    posture.devices = posture.revealed = Grants<std::string>{};
    posture.limits = Named<Ceiling<std::uint64_t>>{{"memory", {512 * kMiB}},
                                                   {"swap", {0}},
                                                   {"cpus", {1'000'000}},
                                                   {"pids", {128}},
                                                   {"cpu-weight", {100}}};
    posture.cpuset = Grants<std::uint32_t>{};
    posture.oom_score_adj = Floor<int>{0};
    posture.rlimits = Named<Ceiling<std::uint64_t>>{{"core", {0}}, {"core:soft", {0}}};
    for (auto* reach : {&posture.network.interfaces, &posture.network.publish, &posture.network.listen,
                        &posture.network.egress, &posture.network.peers})
        *reach = Grants<std::string>{};
    posture.hostname = Exact<std::string>{};
    posture.undumpable = Lock::open;  // exec makes every program dumpable again; only PID 1 stays held
    posture.personality = Exact<std::uint32_t>{0};
    posture.umask = Exact<std::uint32_t>{0027};
    posture.scheduling = {.policy = Exact<std::string>{"ordinary"},
                          .nice = Floor<int>{0},
                          .cores = Exact<std::string>{"all"},
                          .disk = Lock::held};
    for (auto* none : {&posture.network.routes, &posture.network.rules, &posture.handles.files,
                       &posture.handles.kernel, &posture.handles.sockets, &posture.program.hidden,
                       &posture.program.replaced, &posture.program.place, &posture.program.name,
                       &posture.program.loader, &posture.shared_mounts, &posture.writable_cgroups})
        *none = Grants<std::string>{};
    posture.network.settings = closed_settings();
    posture.program.write_exec = posture.no_terminal = Lock::held;
    posture.lsm = Exact<std::string>{"unconfined"};
    posture.clocks = Exact<std::string>{"in step"};
    return posture;
}

}  // namespace guard
