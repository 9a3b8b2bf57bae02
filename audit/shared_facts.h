#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <span>
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
    Known<std::set<std::string>> listening;              ///< "25565/tcp"
    Known<std::set<std::string>> routes;                 ///< "0.0.0.0/0 via 10.88.0.1 on eth0"
    Known<std::set<std::string>> rules;                  ///< tables of a packet filter: "nft inet x"
    Known<std::map<std::string, std::string>> settings;  ///< kNetworkSettings by name
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
    /// Ids of all mounts of files, also covered ones: may it be written.
    std::map<std::uint64_t, bool> writable;
};
/// Who may change the limits of a cgroup.
struct CgroupOwner {
    uid_t uid = 0;
    gid_t gid = 0;
    mode_t mode = 0;
    /// v2: the programs that decide about devices, each by when it was loaded (nanoseconds since boot); v1
    /// has files for it.
    Known<std::vector<std::uint64_t>> device_programs;
};
/// File name -> text, of one cgroup; files that are not there are left out.
using CgroupTexts = std::map<std::string, std::string>;

/// A file tree: the id of a mount namespace, and the root in it.
using TreeKey = std::pair<std::uint64_t, Place>;
[[nodiscard]] TreeKey tree_key(const TaskFacts& facts, const TaskDetails& details);

/// What many tasks share, read once: by namespace id, by root, by cgroup.
struct SharedFacts {
    CgroupLayout layout;
    std::string online_cpus;
    std::map<std::uint64_t, UserMaps> users;
    std::map<std::uint64_t, NetworkFacts> networks;
    std::map<std::uint64_t, Known<std::string>> hostnames;
    std::map<TreeKey, TreeFacts> trees;
    std::map<std::pair<std::string, std::string>, Known<CgroupTexts>> cgroups;  ///< controller and path
    std::map<std::pair<std::string, std::string>, Known<CgroupOwner>> owners;   ///< the same
    std::map<std::uint64_t, Known<std::string>> clocks;  ///< timens_offsets, by time namespace
    Learned learned;
    std::set<std::string> host_groups;              ///< peer groups of mounts in the reader's own namespace
    std::map<std::string, std::string> host_tmpfs;  ///< of the same: "MAJOR:MINOR" -> where it is mounted

    /// Takes in what of the same machine was read by way of other tasks.
    void merge(SharedFacts other);
};

/// The row of kNamespaces of that name.
[[nodiscard]] std::size_t namespace_row(std::string_view name);

/// Numbers of the peer groups that these mounts are in. mount_namespaces(7)
[[nodiscard]] std::set<std::string> peer_groups(std::span<const MountLine> mounts);

/// Reads what of this task's shared things was not read yet.
void read_shared(SharedFacts& shared, const TaskFacts& facts, const TaskDetails& details,
                 const NamespaceTable& namespaces, int folder);

}  // namespace guard::audit
