#include "audit/select.h"

#include <algorithm>

#include "audit/limits.h"

namespace guard::audit {
namespace {

void add_namespaces(Membership& member, const SeenTask& task, const Record& record) {
    const auto own = made_for(record);
    for (std::size_t row = 0; row < kNamespaces.size(); ++row) {
        const std::string name(kNamespaces.at(row).name);
        const auto* id = value_of(task.facts.namespaces.at(row));
        const auto expected = own.find(name);
        if (id == nullptr || expected == own.end()) continue;
        const auto host = record.bindings.host.find(name);
        if (*id == expected->second) member.inside.push_back(name);
        if (host != record.bindings.host.end() && *id == host->second) member.on_host.push_back(name);
    }
}

void add_cgroups(Membership& member, const SeenTask& task, const Record& record) {
    for (const auto& [controller, leaf] : record.bindings.cgroups) {
        const auto at = task.facts.cgroups.find(controller);
        if (at == task.facts.cgroups.end() || leaf.size() <= 1) continue;
        if (is_in_cgroup(at->second, leaf))
            member.in_cgroup = true;
        else
            member.outside.push_back(controller.empty() ? at->second : controller + ":" + at->second);
    }
}

}  // namespace

std::map<std::string, std::uint64_t> made_for(const Record& record) {
    auto own = record.bindings.own;
    std::erase_if(own, [&record](const auto& entry) {
        const auto host = record.bindings.host.find(entry.first);
        return host != record.bindings.host.end() && host->second == entry.second;
    });
    return own;
}

Membership membership(const SeenTask& task, const Record& record, const std::map<pid_t, pid_t>& parents) {
    Membership member;
    member.descends = descends(parents, task.pid, record.bindings.init.pid);
    add_namespaces(member, task, record);
    add_cgroups(member, task, record);
    return member;
}

std::string container_of(const CgroupPaths& cgroups) {
    constexpr std::string_view kFolder = "/guard/";  // launcher makes its leaves below a folder of this name
    for (const auto& [controller, path] : cgroups) {
        const auto at = path.rfind(kFolder);
        if (at == std::string::npos) continue;
        const auto name = path.substr(at + kFolder.size());
        return name.substr(0, name.find('/'));
    }
    return {};
}

Interest interest_in(const std::vector<const Record*>& records) {
    Interest interest;
    for (const auto* record : records) {
        for (const auto& [name, id] : made_for(*record)) interest.namespaces.insert(id);
        for (const auto& leaf : record->bindings.cgroups)
            if (leaf.second.size() > 1) interest.cgroups.insert(leaf);
        interest.inits.insert(record->bindings.init.pid);
    }
    return interest;
}

}  // namespace guard::audit
