#pragma once
#include <string_view>
#include <tuple>

#include "posture/posture.h"

namespace guard {

/// One field of a posture: its name is its path in records, findings and `explain`.
template <class Get>
struct Field {
    std::string_view name;
    Get get;  ///< Posture& -> Known<T>&, const or not
};
template <class Get>
Field(std::string_view, Get) -> Field<Get>;

/// The one list of fields: compare, JSON, explain and dry-run loop over it, and each has its check row
/// (checks.h).
inline constexpr auto kFields = std::tuple{
    Field{"identity.uid", [](auto& p) -> auto& { return p.identity.uid; }},
    Field{"identity.gid", [](auto& p) -> auto& { return p.identity.gid; }},
    Field{"identity.groups", [](auto& p) -> auto& { return p.identity.groups; }},
    Field{"users.uid-map", [](auto& p) -> auto& { return p.identity.uid_map; }},
    Field{"users.gid-map", [](auto& p) -> auto& { return p.identity.gid_map; }},
    Field{"caps.bounding", [](auto& p) -> auto& { return p.caps.bounding; }},
    Field{"caps.permitted", [](auto& p) -> auto& { return p.caps.permitted; }},
    Field{"caps.effective", [](auto& p) -> auto& { return p.caps.effective; }},
    Field{"caps.inheritable", [](auto& p) -> auto& { return p.caps.inheritable; }},
    Field{"caps.ambient", [](auto& p) -> auto& { return p.caps.ambient; }},
    Field{"securebits", [](auto& p) -> auto& { return p.securebits; }},
    Field{"no-new-privs", [](auto& p) -> auto& { return p.no_new_privs; }},
    Field{"seccomp.mode", [](auto& p) -> auto& { return p.seccomp.mode; }},
    Field{"seccomp.filters", [](auto& p) -> auto& { return p.seccomp.filters; }},
    Field{"seccomp.content", [](auto& p) -> auto& { return p.seccomp.content; }},
    Field{"seccomp.access", [](auto& p) -> auto& { return p.seccomp.access; }},
    Field{"landlock.domain", [](auto& p) -> auto& { return p.landlock.domain; }},
    Field{"landlock.read", [](auto& p) -> auto& { return p.landlock.read; }},
    Field{"landlock.write", [](auto& p) -> auto& { return p.landlock.write; }},
    Field{"landlock.execute", [](auto& p) -> auto& { return p.landlock.execute; }},
    Field{"namespaces", [](auto& p) -> auto& { return p.namespaces; }},
    Field{"mounts", [](auto& p) -> auto& { return p.mounts; }},
    Field{"devices", [](auto& p) -> auto& { return p.devices; }},
    Field{"mounts.revealed", [](auto& p) -> auto& { return p.revealed; }},
    Field{"limits", [](auto& p) -> auto& { return p.limits; }},
    Field{"limits.cpuset", [](auto& p) -> auto& { return p.cpuset; }},
    Field{"limits.oom-score-adj", [](auto& p) -> auto& { return p.oom_score_adj; }},
    Field{"rlimits", [](auto& p) -> auto& { return p.rlimits; }},
    Field{"network.interfaces", [](auto& p) -> auto& { return p.network.interfaces; }},
    Field{"network.publish", [](auto& p) -> auto& { return p.network.publish; }},
    Field{"network.listen", [](auto& p) -> auto& { return p.network.listen; }},
    Field{"network.egress", [](auto& p) -> auto& { return p.network.egress; }},
    Field{"network.peers", [](auto& p) -> auto& { return p.network.peers; }},
    Field{"hostname", [](auto& p) -> auto& { return p.hostname; }},
    Field{"dumpable", [](auto& p) -> auto& { return p.undumpable; }},
    Field{"traced", [](auto& p) -> auto& { return p.untraced; }},
    Field{"personality", [](auto& p) -> auto& { return p.personality; }},
    Field{"umask", [](auto& p) -> auto& { return p.umask; }},
    Field{"scheduling.policy", [](auto& p) -> auto& { return p.scheduling.policy; }},
    Field{"scheduling.nice", [](auto& p) -> auto& { return p.scheduling.nice; }},
    Field{"scheduling.cores", [](auto& p) -> auto& { return p.scheduling.cores; }},
    Field{"scheduling.disk", [](auto& p) -> auto& { return p.scheduling.disk; }},
    Field{"network.routes", [](auto& p) -> auto& { return p.network.routes; }},
    Field{"network.rules", [](auto& p) -> auto& { return p.network.rules; }},
    Field{"network.settings", [](auto& p) -> auto& { return p.network.settings; }},
    Field{"handles.files", [](auto& p) -> auto& { return p.handles.files; }},
    Field{"handles.kernel", [](auto& p) -> auto& { return p.handles.kernel; }},
    Field{"handles.sockets", [](auto& p) -> auto& { return p.handles.sockets; }},
    Field{"program.hidden", [](auto& p) -> auto& { return p.program.hidden; }},
    Field{"program.replaced", [](auto& p) -> auto& { return p.program.replaced; }},
    Field{"program.place", [](auto& p) -> auto& { return p.program.place; }},
    Field{"program.name", [](auto& p) -> auto& { return p.program.name; }},
    Field{"program.write-exec", [](auto& p) -> auto& { return p.program.write_exec; }},
    Field{"program.loader", [](auto& p) -> auto& { return p.program.loader; }},
    Field{"mounts.shared", [](auto& p) -> auto& { return p.shared_mounts; }},
    Field{"limits.writable", [](auto& p) -> auto& { return p.writable_cgroups; }},
    Field{"terminal", [](auto& p) -> auto& { return p.no_terminal; }},
    Field{"lsm.label", [](auto& p) -> auto& { return p.lsm; }},
    Field{"clocks", [](auto& p) -> auto& { return p.clocks; }},
};

/// Calls visit(name, field of a, field of b) for every field.
template <class A, class B, class Visit>
constexpr void each_field(A& a, B& b, Visit&& visit) {
    std::apply([&](const auto&... row) { (visit(row.name, row.get(a), row.get(b)), ...); }, kFields);
}
template <class A, class Visit>
constexpr void each_field(A& a, Visit&& visit) {
    std::apply([&](const auto&... row) { (visit(row.name, row.get(a)), ...); }, kFields);
}

}  // namespace guard
