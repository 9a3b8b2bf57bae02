#include "audit/observe.h"

#include <algorithm>
#include <span>

#include "audit/devices.h"
#include "audit/handles.h"
#include "audit/known.h"
#include "audit/limits.h"
#include "audit/mounts.h"
#include "audit/process_facts.h"
#include "audit/program.h"
#include "audit/scheduling.h"
#include "base/split.h"
#include "base/time_offsets.h"

namespace guard::audit {
namespace {

// "no id" of the kernel: an id of the host that nothing inside stands for.
constexpr std::uint32_t kNoId = 0xFFFFFFFF;

// One task under observation, with what its words are told against.
struct View {
    const SeenTask& task;
    const Frame& frame;
    const Posture& launched;
    const UserMaps& users;
    const TreeFacts& tree;
    const NetworkFacts& network;

    [[nodiscard]] const ProcStatus& status() const { return task.facts.status; }
    [[nodiscard]] const Bindings& bindings() const { return frame.record->bindings; }
};

template <class Map, class Key>
const typename Map::mapped_type& found(const Map& map, const Key& key) {
    static const typename Map::mapped_type kNone{};
    const auto row = map.find(key);
    return row == map.end() ? kNone : row->second;
}

const Known<std::uint64_t>& namespace_of(const SeenTask& task, std::string_view row) {
    return task.facts.namespaces.at(namespace_row(row));
}

std::uint64_t id_of(const SeenTask& task, std::string_view row) {
    const auto* id = value_of(namespace_of(task, row));
    return id == nullptr ? 0 : *id;
}

View view_of(const SeenTask& task, const Frame& frame, const Posture& launched) {
    const auto tree = tree_key(task.facts, task.details);
    const auto& shared = *frame.shared;
    return {task,
            frame,
            launched,
            found(shared.users, id_of(task, "user")),
            found(shared.trees, tree),
            found(shared.networks, id_of(task, "network"))};
}

// Four ids that should be one: the first that is not as launched tells the most.
Known<Exact<std::uint32_t>> one_id(std::span<const std::uint32_t> outside,
                                   const Known<std::vector<IdMapLine>>& map,
                                   const Known<Exact<std::uint32_t>>& launched) {
    return map_known(map, [&](const std::vector<IdMapLine>& lines) {
        const auto* expected = value_of(launched);
        Exact<std::uint32_t> shown{inside_id(lines, outside.front()).value_or(kNoId)};
        for (const auto id : outside) {
            const Exact<std::uint32_t> inside{inside_id(lines, id).value_or(kNoId)};
            if (expected != nullptr && inside != *expected) return inside;
        }
        return shown;
    });
}

Known<Grants<IdLine>> lines_in_words(const Known<std::vector<IdMapLine>>& map, std::uint32_t base,
                                     std::uint32_t count) {
    return map_known(map, [base, count](const std::vector<IdMapLine>& lines) {
        Grants<IdLine> words;
        for (const auto& line : lines) {
            const bool own = count != 0 && line.outside >= base && line.outside - base < count;
            words.all.insert({line.inside, own, own ? line.outside - base : line.outside, line.count});
        }
        return words;
    });
}

void observe_identity(Identity& identity, const View& view) {
    const auto& status = view.status();
    const auto& bindings = view.bindings();
    identity.uid = one_id(status.uid, view.users.uid, view.launched.identity.uid);
    identity.gid = one_id(status.gid, view.users.gid, view.launched.identity.gid);
    identity.groups = map_known(view.users.gid, [&status](const std::vector<IdMapLine>& lines) {
        Grants<std::uint32_t> groups;
        for (const auto group : status.groups) groups.all.insert(inside_id(lines, group).value_or(kNoId));
        return groups;
    });
    identity.uid_map = lines_in_words(view.users.uid, bindings.uid_base, bindings.id_count);
    identity.gid_map = lines_in_words(view.users.gid, bindings.gid_base, bindings.id_count);
}

void observe_rights(Posture& posture, const View& view) {
    const auto& status = view.status();
    observe_status(posture, status);
    posture.seccomp.mode = held_if(status.seccomp == 2);
    if (status.seccomp_filters)
        posture.seccomp.filters = Floor<unsigned>{*status.seccomp_filters};
    else
        posture.seccomp.filters = Absent{"this kernel does not count filters (5.9 does)"};
    // A task that cannot be dumped has files that belong to another than itself. proc(5)
    posture.undumpable = map_known(
        view.task.details.owner, [&status](std::uint32_t owner) { return held_if(owner != status.uid[1]); });
    if (status.umask) posture.umask = Exact<std::uint32_t>{*status.umask};
    posture.personality = map_known(view.task.details.personality, [](const std::string& text) {
        const auto lines = lines_of(text);
        return Exact<std::uint32_t>{lines.empty() ? kNoId
                                                  : number_of<std::uint32_t>(lines[0], 16).value_or(kNoId)};
    });
}

Relation relation_of(const View& view, const NamespaceRow& row, std::uint64_t id) {
    const std::string name(row.name);
    const auto& bindings = view.bindings();
    const auto is = [id](const std::map<std::string, std::uint64_t>& ids, const std::string& of) {
        const auto found_id = ids.find(of);
        return found_id != ids.end() && found_id->second == id;
    };
    if (is(bindings.host, name)) return {Relation::To::host, ""};
    if (is(bindings.own, name)) {
        const auto* all = value_of(view.launched.namespaces);
        const auto expected = all == nullptr ? Named<Relation>::const_iterator{} : all->find(name);
        const bool shared =
            all != nullptr && expected != all->end() && expected->second.to == Relation::To::peer;
        return shared ? expected->second : Relation{Relation::To::own, ""};
    }
    if (const auto owner = view.frame.owners.find(id); owner != view.frame.owners.end())
        return {Relation::To::foreign, owner->second};
    const auto user = bindings.own.find("user");
    if (user != bindings.own.end() && view.frame.namespaces != nullptr &&
        view.frame.namespaces->is_below(id, user->second))
        return {Relation::To::nested, ""};
    return {Relation::To::foreign, ""};
}

Known<Named<Relation>> observe_namespaces(const View& view) {
    Named<Relation> relations;
    for (std::size_t at = 0; at < kNamespaces.size(); ++at) {
        const auto& id = view.task.facts.namespaces.at(at);
        if (const auto* unread = std::get_if<Unknown>(&id)) {
            if (unread->code == ENOENT) continue;  // a kernel without this type
            return *unread;
        }
        relations[std::string(kNamespaces.at(at).name)] =
            relation_of(view, kNamespaces.at(at), *value_of(id));
    }
    return relations;
}

// Words of one kind that guard's packet filter has for this container.
Known<Grants<std::string>> words_in_force(const View& view, std::string_view kind,
                                          const Known<Grants<std::string>>& launched) {
    const auto* declared = value_of(launched);
    const auto* table = value_of(view.frame.table);
    const auto* missing = std::get_if<Unknown>(&view.frame.table);
    // Without a table nothing is let through; a container that needs nothing of it has what it declared.
    if (table == nullptr && missing != nullptr && missing->code != ENOENT && declared != nullptr &&
        !declared->all.empty())
        return *missing;
    Grants<std::string> words;
    if (table == nullptr) return words;
    for (const auto& word : *table)
        if (word.container == view.frame.record->name && word.kind == kind) words.all.insert(word.word);
    return words;
}

bool shares_host(const View& view, const std::string& row) {
    const auto* relations = value_of(view.launched.namespaces);
    if (relations == nullptr) return false;
    const auto relation = relations->find(row);
    return relation != relations->end() && relation->second.to == Relation::To::host;
}

// What this kernel has no file for is as it was launched.
Known<Named<Exact<std::string>>> settings_in_force(const View& view) {
    return map_known(view.network.settings, [&view](const std::map<std::string, std::string>& read) {
        const auto* launched = value_of(view.launched.network.settings);
        auto settings = launched == nullptr ? Named<Exact<std::string>>{} : *launched;
        for (const auto& [name, value] : read) settings[name] = {value};
        return settings;
    });
}

void observe_network(Posture& posture, const View& view) {
    // In the host's network everything there is the host's own; there is nothing to tell apart.
    if (shares_host(view, "network")) {
        posture.network = view.launched.network;
        return;
    }
    const auto granted = [](const std::set<std::string>& all) { return Grants<std::string>{all}; };
    posture.network.interfaces = map_known(view.network.interfaces, granted);
    posture.network.listen = map_known(view.network.listening, granted);
    posture.network.routes = map_known(view.network.routes, granted);
    posture.network.rules = map_known(view.network.rules, granted);
    posture.network.settings = settings_in_force(view);
    const auto& launched = view.launched.network;
    posture.network.publish = words_in_force(view, "publish", launched.publish);
    posture.network.egress = words_in_force(view, "egress", launched.egress);
    posture.network.peers = words_in_force(view, "peers", launched.peers);
}

void observe_tree(Posture& posture, const View& view) {
    const auto& sources = view.bindings().sources;
    posture.mounts = map_known(view.tree.mounts, [&](const std::vector<MountLine>& mounts) {
        return tree_of(mounts, sources, view.frame.shared->host_tmpfs);
    });
    posture.shared_mounts = map_known(view.tree.mounts, [&view](const std::vector<MountLine>& mounts) {
        return shared_places(mounts, view.frame.shared->host_groups);
    });
    posture.devices = devices_of(view.tree, view.task.facts.cgroups, *view.frame.shared, view.bindings(),
                                 view.launched.devices);
    // A hidden path is hidden by a mount: one that is gone is a change of the tree, and told there.
    posture.revealed = map_known(posture.mounts, [&view](const MountTree& tree) {
        Grants<std::string> shown;
        if (const auto* declared = value_of(view.launched.revealed))
            for (const auto& place : declared->all)
                if (!tree.contains(place)) shown.all.insert(place);
        return shown;
    });
}

void observe_limits(Posture& posture, const View& view) {
    const auto& task = view.task;
    const auto& shared = *view.frame.shared;
    posture.writable_cgroups = writable_cgroups(view.bindings(), shared);
    posture.limits = limits_of(task.facts.cgroups, shared, view.bindings().cgroups, view.launched.limits);
    posture.cpuset = cpuset_of(task.facts.cgroups, shared);
    posture.rlimits = rlimits_of(task.details.limits, view.launched.rlimits);
    posture.oom_score_adj = map_known(task.details.oom_score_adj, [](const std::string& text) {
        const auto lines = lines_of(text);
        return Floor<int>{lines.empty() ? 0 : number_of<int>(lines[0]).value_or(0)};
    });
}

// One in another mode is written down, and perhaps logged. apparmor(7)
bool confines(const std::string& label) {
    return label != "unconfined" && !label.ends_with(" (unconfined)") && !label.ends_with(" (complain)");
}

// A label that confines was promised only where there was one at the launch.
Known<Exact<std::string>> label_of(const View& view) {
    const auto* launched = value_of(view.launched.lsm);
    const bool promised = launched != nullptr && confines(launched->value);
    const auto* label = value_of(view.task.details.label);
    if (label == nullptr) return std::get<Unknown>(view.task.details.label);
    if (!*label && promised) return Exact<std::string>{"no label: its security module is off"};
    if (!*label || !promised) return view.launched.lsm;
    return Exact<std::string>{**label};
}

// The file tells of the namespace that children will be in: of the machine's own, nothing.
Known<Exact<std::string>> clocks_of(const View& view) {
    const auto& id = namespace_of(view.task, "time");
    const auto host = view.bindings().host.find("time");
    const bool is_host =
        value_of(id) != nullptr && host != view.bindings().host.end() && host->second == *value_of(id);
    if (is_host || value_of(id) == nullptr) return Exact<std::string>{"in step"};
    return map_known(found(view.frame.shared->clocks, *value_of(id)), [](const std::string& offsets) {
        return Exact<std::string>{time_offsets_in_words(offsets)};
    });
}

}  // namespace

void observe_status(Posture& posture, const ProcStatus& status) {
    posture.caps = {.bounding = CapabilitySet{status.cap_bounding},
                    .permitted = CapabilitySet{status.cap_permitted},
                    .effective = CapabilitySet{status.cap_effective},
                    .inheritable = CapabilitySet{status.cap_inheritable},
                    .ambient = CapabilitySet{status.cap_ambient}};
    posture.no_new_privs = held_if(status.no_new_privs == 1);
    posture.untraced = held_if(status.tracer == 0);
}

Posture observe(const SeenTask& task, const Frame& frame, const Posture& launched, Descent descent) {
    const auto view = view_of(task, frame, launched);
    Posture posture;
    observe_identity(posture.identity, view);
    observe_rights(posture, view);
    posture.namespaces = observe_namespaces(view);
    observe_tree(posture, view);
    observe_limits(posture, view);
    observe_network(posture, view);
    posture.scheduling = scheduling_of(task, *frame.shared);
    posture.handles = handles_of(task, frame, launched);
    posture.program = program_of(task, frame, view.tree, launched);
    posture.no_terminal =
        map_known(task.details.stat, [](const ProcStat& stat) { return held_if(stat.terminal == 0); });
    posture.lsm = label_of(view);
    posture.clocks = clocks_of(view);
    posture.hostname = map_known(found(frame.shared->hostnames, id_of(task, "uts")),
                                 [](const std::string& name) { return Exact<std::string>{name}; });
    if (shares_host(view, "uts")) posture.hostname = launched.hostname;
    fill_inherited(posture, launched, task.facts.status, descent);
    if (task.exact) fill_exact(posture, launched, *task.exact);
    return posture;
}

}  // namespace guard::audit
