#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "audit/task.h"
#include "base/cgroup_layout.h"
#include "base/id_map.h"
#include "base/mountinfo.h"
#include "posture/known.h"

namespace guard::audit {

/// Both id maps of a user namespace, as this process sees them.
struct UserMaps {
    Known<std::vector<IdMapLine>> uid, gid;
};
/// What a network namespace has.
struct NetworkFacts {
    Known<std::set<std::string>> interfaces;
    Known<std::set<std::string>> listening;  ///< "25565/tcp"
};
/// A device file below /dev.
struct DeviceNode {
    std::string path;    ///< inside
    std::string number;  ///< "c 1:3"
    auto operator<=>(const DeviceNode&) const = default;
};
struct TreeFacts {
    Known<std::vector<MountLine>> mounts;  ///< visible ones
    Known<std::set<DeviceNode>> devices;
};
/// File name -> text, of one cgroup; files that are not there are left out.
using CgroupTexts = std::map<std::string, std::string>;

/// What many tasks share, read once: by namespace id, by root, by cgroup.
struct SharedFacts {
    CgroupLayout layout;
    std::string online_cpus;
    std::map<std::uint64_t, UserMaps> users;
    std::map<std::uint64_t, NetworkFacts> networks;
    std::map<std::uint64_t, Known<std::string>> hostnames;
    std::map<std::pair<std::uint64_t, std::string>, TreeFacts> trees;           ///< mount namespace and root
    std::map<std::pair<std::string, std::string>, Known<CgroupTexts>> cgroups;  ///< controller and path
};

/// The row of kNamespaces of that name.
[[nodiscard]] std::size_t namespace_row(std::string_view name);

/// Reads what of this task's shared things was not read yet.
void read_shared(SharedFacts& shared, const TaskFacts& facts, const TaskDetails& details,
                 const NamespaceTable& namespaces, int folder);

}  // namespace guard::audit
