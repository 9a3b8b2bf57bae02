#include "report/grants_in_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "posture/limit.h"
#include "posture/words.h"

namespace guard::report {
namespace {

std::string say_user(const Change& change, const Posture&) {
    return fmt::format("runs as user id {} inside", change.to);
}
std::string say_group(const Change& change, const Posture&) {
    return fmt::format("runs in group id {} inside", change.to);
}
std::string say_further_group(const Change& change, const Posture&) {
    return fmt::format("is in group {} too", change.item);
}
std::string say_id_lines(const Change& change, const Posture&) {
    if (change.shift == Shift::tighter) return fmt::format("not mapped: {}", change.item);
    return change.item;
}

std::string say_capability(const Change& change, const Posture&) {
    const auto number = capability_number(change.item);
    const auto gives =
        number ? kCapabilities.at(static_cast<std::size_t>(*number)).gives : "a right newer than guard";
    return fmt::format("may {} ({})", gives, change.item);
}
std::string say_capability_set(const Change& change, const Posture&) {
    return fmt::format("{} in its {} set", change.item, change.field.substr(change.field.find('.') + 1));
}

std::string say_securebit(const Change& change, const Posture&) {
    return fmt::format("user 0 inside gets rights by the old rules again ({} {})", change.item, change.to);
}
std::string say_no_new_privs(const Change&, const Posture&) {
    return "programs inside may gain rights (set-user-id works)";
}
std::string say_no_filter(const Change&, const Posture&) {
    return "no system call filter: all calls are open";
}
std::string say_filter_count(const Change& change, const Posture&) {
    return fmt::format("{} filters instead of {}", change.to, change.from);
}
std::string say_filter_content(const Change& change, const Posture&) {
    return fmt::format("the filter {} instead of the one compiled from the profile", change.item);
}
std::string say_call(const Change& change, const Posture&) {
    if (change.to.empty()) return fmt::format("{}: not allowed", change.item);
    if (change.to == "always") return change.item;
    return fmt::format("{}, where {}", change.item, change.to);
}

std::string say_landlock(const Change& change, const Posture&) {
    if (change.shift == Shift::tighter) return "held by file rules (Landlock) besides its mounts";
    return "no file rules (Landlock): mounts and file modes alone hold it";
}
std::string say_landlock_path(const Change& change, const Posture&) {
    return fmt::format("may {} what is below {}", change.field.substr(change.field.find('.') + 1),
                       change.item);
}

std::string say_namespace(const Change& change, const Posture& posture) {
    const auto* const row = std::ranges::find(kNamespaces, change.item, &NamespaceRow::name);
    const auto* const all = value_of(posture.namespaces);
    if (row == kNamespaces.end() || all == nullptr || !all->contains(change.item)) return change.item;
    const auto& relation = all->at(change.item);
    if (relation.to == Relation::To::own) return std::string(row->own);
    if (relation.to == Relation::To::host) return std::string(row->host);
    return fmt::format("{} namespace {}", change.item, in_words(relation));
}

std::string say_mount(const Change& change, const Posture& posture) {
    const auto* const tree = value_of(posture.mounts);
    if (tree != nullptr && tree->contains(change.item))
        return fmt::format("{}  {}", change.item, mount_in_words(tree->at(change.item)));
    const auto space = change.item.rfind(' ');
    if (change.to == "granted" && space != std::string::npos)
        return fmt::format("{}  may be used with {}", change.item.substr(0, space),
                           change.item.substr(space + 1));
    return fmt::format("{}  {}", change.item, change.to.empty() ? "is not there" : change.to);
}

std::string say_device(const Change& change, const Posture&) {
    return fmt::format("may use the device {}", change.item);
}
std::string say_revealed(const Change& change, const Posture&) {
    return fmt::format("sees {}, which is hidden otherwise", change.item);
}

struct LimitWords {
    std::string_view limit, format;
};
constexpr auto kLimitWords = std::to_array<LimitWords>({
    {"memory", "memory: {}; above that the kernel ends the server"},
    {"swap", "swap: {}"},
    {"cpus", "cpu: {}; more has to wait"},
    {"cpu-weight", "cpu: weight {} when others want it too (100 is usual)"},
    {"pids", "{} processes and threads; no more can be started"},
    {"io-weight", "disk: weight {} when others want it too (100 is usual)"},
    {"io-max", "disk: {} a second"},
});
std::string say_limit(const Change& change, const Posture&) {
    const auto* const row =
        std::ranges::find(kLimitWords, change.item.substr(0, change.item.find(' ')), &LimitWords::limit);
    if (row == kLimitWords.end()) return fmt::format("{}: {}", change.item, change.to);
    const auto bound = row->limit == "swap" && change.to == "0 B" ? "none"
                       : change.to == "none"                      ? "no limit"
                                                                  : change.to;
    const auto rest =
        change.item.size() > row->limit.size() ? change.item.substr(row->limit.size()) : std::string();
    return fmt::format(fmt::runtime(row->format), bound) + rest;
}
std::string say_core(const Change& change, const Posture&) {
    return fmt::format("runs on core {} of this machine", change.item);
}
std::string say_oom(const Change& change, const Posture&) {
    const bool first = change.shift == Shift::tighter;
    return fmt::format("when the machine's memory ends, it goes {} other programs (score {})",
                       first ? "before" : "after", change.to);
}
std::string say_rlimit(const Change& change, const Posture&) {
    const auto colon = change.item.find(':');
    const auto* const row = std::ranges::find(kRlimits, change.item.substr(0, colon), &RlimitRow::name);
    const std::string name(row == kRlimits.end() ? std::string_view(change.item) : row->says);
    return fmt::format("{}{}: {}", name, colon == std::string::npos ? "" : " (it may raise it)", change.to);
}

std::string say_interface(const Change& change, const Posture&) {
    return fmt::format("has the network interface {}", change.item);
}
std::string say_published(const Change& change, const Posture&) { return published_in_words(change.item); }
std::string say_listen(const Change& change, const Posture&) {
    return fmt::format("may listen on port {}", change.item);
}
std::string say_egress(const Change& change, const Posture&) {
    if (change.item == "dns") return "may ask DNS for addresses";
    return fmt::format("may connect to {}", change.item);
}
std::string say_peer(const Change& change, const Posture&) {
    const auto colon = change.item.rfind(':');
    if (colon == std::string::npos) return fmt::format("{} may connect", change.item);
    return fmt::format("the container {} may connect to port {}", change.item.substr(0, colon),
                       change.item.substr(colon + 1));
}

std::string say_hostname(const Change& change, const Posture&) {
    return fmt::format("its host name is {}", change.to);
}
std::string say_dumpable(const Change&, const Posture&) {
    return "its memory is closed even to programs of the same user";
}
std::string say_traced(const Change&, const Posture&) { return "may be traced by a debugger"; }
std::string say_personality(const Change& change, const Posture&) {
    return fmt::format("runs with execution settings {} (personality)", change.to);
}
std::string say_route(const Change& change, const Posture&) {
    return fmt::format("has a route to {}", change.item);
}
std::string say_held(const Change& change, const Posture&) { return fmt::format("holds {}", change.item); }
std::string say_setting(const Change& change, const Posture&) {
    return fmt::format("{} is {}", change.item.empty() ? change.field : change.item, change.to);
}
std::string say_write_exec(const Change&, const Posture&) {
    return "may have memory that is writable and executable at once, as just-in-time compilers need";
}
std::string say_loader(const Change& change, const Posture&) {
    return fmt::format("starts with {}, which brings further code or options into programs", change.item);
}
std::string say_terminal(const Change&, const Posture&) { return "has a controlling terminal"; }
std::string say_clocks(const Change& change, const Posture&) {
    return fmt::format("its clocks are {}", change.to);
}
std::string say_policy(const Change& change, const Posture&) {
    return fmt::format("its threads are scheduled as {}", change.to);
}
std::string say_nice(const Change& change, const Posture&) {
    return fmt::format("its threads run with nice {}: lower goes before other programs", change.to);
}
std::string say_pinned(const Change& change, const Posture&) {
    return fmt::format("of its cores it uses {}", change.to);
}
std::string say_disk(const Change&, const Posture&) { return "its disk traffic goes before that of others"; }
std::string say_umask(const Change& change, const Posture&) {
    return fmt::format("new files get the rights that umask {} leaves", change.to);
}

constexpr auto kFieldWords = std::to_array<FieldWords>({
    {"identity.uid", "process.user", say_user},
    {"identity.gid", "process.user", say_group},
    {"identity.groups", "process.groups", say_further_group},
    {"users.uid-map", "users.map", say_id_lines},
    {"users.gid-map", "users.map", say_id_lines},
    {"caps.bounding", "capabilities.allow", say_capability_set},
    {"caps.permitted", "capabilities.allow", say_capability_set},
    {"caps.effective", "capabilities.allow", say_capability},
    {"caps.inheritable", "capabilities.allow", say_capability_set},
    {"caps.ambient", "capabilities.allow", say_capability_set},
    {"securebits", "capabilities.allow", say_securebit},
    {"no-new-privs", "capabilities.allow", say_no_new_privs},
    {"seccomp.mode", "seccomp.allow", say_no_filter},
    {"seccomp.filters", "seccomp.allow", say_filter_count},
    {"seccomp.content", "seccomp.allow", say_filter_content},
    {"seccomp.access", "seccomp.allow", say_call},
    {"landlock.domain", "landlock.enabled", say_landlock},
    {"landlock.read", "landlock.read", say_landlock_path},
    {"landlock.write", "landlock.write", say_landlock_path},
    {"landlock.execute", "landlock.execute", say_landlock_path},
    {"namespaces", "namespaces", say_namespace},
    {"mounts", "filesystem.mounts", say_mount},
    {"devices", "filesystem.devices", say_device},
    {"mounts.revealed", "filesystem.reveal", say_revealed},
    {"limits", "limits", say_limit},
    {"limits.cpuset", "limits.cpuset", say_core},
    {"limits.oom-score-adj", "limits.oom-score-adj", say_oom},
    {"rlimits", "process.rlimits", say_rlimit},
    {"network.interfaces", "network.mode", say_interface},
    {"network.publish", "network.publish", say_published},
    {"network.listen", "network.listen", say_listen},
    {"network.egress", "network.egress", say_egress},
    {"network.peers", "network.peers", say_peer},
    {"hostname", "network.hostname", say_hostname},
    {"dumpable", "process.user", say_dumpable},
    {"traced", "process.user", say_traced},
    {"personality", "process.user", say_personality},
    {"umask", "process.umask", say_umask},
    {"scheduling.policy", "process", say_policy},
    {"scheduling.nice", "process", say_nice},
    {"scheduling.cores", "process", say_pinned},
    {"scheduling.disk", "process", say_disk},
    {"network.routes", "network.mode", say_route},
    {"network.rules", "network.mode", say_held},
    {"network.settings", "network.mode", say_setting},
    {"handles.files", "process", say_held},
    {"handles.kernel", "process", say_held},
    {"handles.sockets", "process", say_held},
    {"program.hidden", "process", say_held},
    {"program.replaced", "process", say_held},
    {"program.place", "process", say_held},
    {"program.name", "process", say_held},
    {"program.write-exec", "seccomp.allow", say_write_exec},
    {"program.loader", "process.env", say_loader},
    {"mounts.shared", "filesystem.mounts", say_held},
    {"limits.writable", "limits", say_held},
    {"terminal", "process", say_terminal},
    {"lsm.label", "process", say_setting},
    {"clocks", "namespaces.time", say_clocks},
});

// Fields whose items are keys of a table in the profile, not elements of a list.
constexpr std::array<std::string_view, 5> kTables{"limits", "rlimits", "namespaces", "mounts",
                                                  "program.loader"};

struct PlaceWords {
    std::string_view where, who;
};
constexpr auto kPlaces = std::to_array<PlaceWords>({
    {"localhost", "programs on this machine"},
    {"lan", "people on the home network"},
    {"any", "anyone who can reach this machine"},
});

}  // namespace

const FieldWords* words_of(std::string_view field) {
    const auto* const row = std::ranges::find(kFieldWords, field, &FieldWords::field);
    return row == kFieldWords.end() ? nullptr : row;
}

std::string key_of(const Change& change) {
    // Two namespaces have a home of their own in the language.
    if (change.field == "namespaces" && change.item == "network") return "network.mode";
    if (change.field == "namespaces" && change.item == "user") return "users.map";
    if (change.field == "mounts" && change.item == "/") return "filesystem.root";
    if (change.field == "mounts" && change.item == "/ write") return "filesystem.write";
    const auto* const row = words_of(change.field);
    const std::string key(row == nullptr ? std::string_view(change.field) : row->key);
    if (change.item.empty()) return key;
    const bool in_table = std::ranges::find(kTables, change.field) != kTables.end();
    auto item = change.item;
    if (change.field == "rlimits") item = item.substr(0, item.find(':'));
    if (in_table) std::ranges::replace(item, ' ', '.');
    return key + (in_table ? "." : "/") + item;
}

std::string published_in_words(const std::string& publish) {
    const auto slash = publish.rfind('/');
    const auto inner = publish.rfind(':', slash);
    const auto outer =
        inner == std::string::npos || inner == 0 ? std::string::npos : publish.rfind(':', inner - 1);
    if (slash == std::string::npos || outer == std::string::npos)
        return fmt::format("published: {}", publish);
    const auto where = publish.substr(0, outer);
    const auto host_port = publish.substr(outer + 1, inner - outer - 1);
    const auto port = publish.substr(inner + 1, slash - inner - 1);
    const auto* const row = std::ranges::find(kPlaces, where, &PlaceWords::where);
    const auto who = row == kPlaces.end() ? fmt::format("whoever reaches {}", where) : std::string(row->who);
    return fmt::format("{} may connect to port {}{}{}", who, host_port, publish.substr(slash),
                       host_port == port ? "" : fmt::format(", which is {} inside", port));
}

std::string mount_in_words(const Mount& mount) {
    std::string text = mount.type == "tmpfs"       ? "empty at each start"
                       : mount.type == "host"      ? "this machine's programs (/usr)"
                       : mount.type == "directory" ? "the file tree in " + mount.source
                       : mount.type == "bind"      ? mount.source + " of this machine"
                                                   : kind_in_words(mount);
    if (mount.size.most) text += ", at most " + bound_in_words("tmpfs size", mount.size.most);
    const auto granted = [&mount](MountGrant grant) { return mount.grants.all.contains(grant); };
    text += granted(MountGrant::write) ? ", may be written" : ", read-only";
    if (granted(MountGrant::exec)) text += ", programs in it may run";
    if (granted(MountGrant::suid)) text += ", set-user-id works";
    if (granted(MountGrant::dev)) text += ", device files work";
    if (mount.idmap) text += ", files belong to the server's user";
    return text;
}

}  // namespace guard::report
