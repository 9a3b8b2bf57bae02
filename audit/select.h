#pragma once
#include <string>
#include <vector>

#include "audit/observe.h"
#include "audit/scan.h"
#include "posture/record.h"

namespace guard::audit {

/// Why a task counts as a container's, and what is odd about it.
struct Membership {
    bool descends = false;             ///< from the recorded init
    std::vector<std::string> inside;   ///< namespaces of the container's own that it is in
    std::vector<std::string> on_host;  ///< namespaces of this machine where the container has its own
    bool in_cgroup = false;            ///< in one of the container's cgroups or below
    std::vector<std::string> outside;  ///< paths, where it is in another cgroup than the container's
    [[nodiscard]] bool any() const { return descends || in_cgroup || !inside.empty(); }
};
[[nodiscard]] Membership membership(const SeenTask& task, const Record& record,
                                    const std::map<pid_t, pid_t>& parents);

/// Ids of the namespaces that were made for the container, by name: without those it shares with the machine.
[[nodiscard]] std::map<std::string, std::uint64_t> made_for(const Record& record);

/// What a pass has to look for, to find all that belongs to these containers.
[[nodiscard]] Interest interest_in(const std::vector<const Record*>& records);

/// The container whose cgroup of guard's making a task is in; empty where it is in none.
[[nodiscard]] std::string container_of(const CgroupPaths& cgroups);

}  // namespace guard::audit
