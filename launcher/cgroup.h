#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/cgroup_layout.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "launcher/cgroup_devices.h"
#include "posture/limit_files.h"
#include "posture/posture.h"
#include "posture/record.h"

namespace guard::launcher {

/// A container's cgroups and what is written into them, computed before anything is made.
struct CgroupPlan {
    struct Write {
        std::string folder;  ///< absolute: one of `leaves`
        std::string file, value;
        std::string key;  ///< the profile's key it stands for, for the error: "limits.memory"
    };
    bool unified = false;  ///< v2
    /// Controller -> absolute folder; "" is the v2 hierarchy, which a hybrid host has too: there it only
    /// kills.
    std::map<std::string, std::string> leaves;
    CgroupPaths paths;  ///< the same as /proc/PID/cgroup tells them: for Bindings::cgroups
    std::vector<Write> writes;
    std::vector<std::string> mount_inside;  ///< v1: controllers mounted afresh inside, read-only
    std::vector<std::string> gaps;          ///< what an `optional` entry let pass, in words
    std::vector<Made> will_make;

    std::set<std::string> enable;  ///< v2: controllers the leaf needs
    std::string start;             ///< v2: the folder from which down they are enabled
    std::string step_aside;  ///< v2, in a delegated cgroup: where its own processes go first; else empty
    std::vector<DeviceRule> devices;  ///< v2: what the device program allows; v1: part of `writes`
    Limits limits;                 ///< as the kernel will keep and tell them, gaps left out: for the record
    Grants<std::uint32_t> cpuset;  ///< the same; empty where it is all of the machine's cores
};

/// What a plan depends on besides the posture, so that a test can give a host of folders.
struct CgroupHost {
    CgroupLayout layout;
    CgroupPaths own;         ///< of this process
    bool is_root = true;     ///< may load a device program
    bool delegated = false;  ///< v2: the own cgroup was handed over by systemd: leaves go below it
};
[[nodiscard]] Result<CgroupHost> this_cgroup_host();
[[nodiscard]] Result<CgroupPlan> plan_cgroup_on(const CgroupHost& host, const Posture& posture,
                                                const std::set<std::string>& optional,
                                                const std::string& name);

/// plan_cgroup_on this host. Fails where this host lacks a controller that a limit needs and `optional` does
/// not name it
/// ("limits.swap").
[[nodiscard]] Result<CgroupPlan> plan_cgroup(const Posture& posture, const std::set<std::string>& optional,
                                             const std::string& name);
/// How a process comes into its leaves without anyone moving it. To move another process the kernel first
/// waits, for milliseconds, until no fork is under way on any core; a task that moves itself waits for
/// nobody.
struct CgroupDoors {
    UniqueFd leaf;                ///< v2, also of a hybrid host: for CLONE_INTO_CGROUP; none without v2
    std::vector<UniqueFd> tasks;  ///< v1: the file `tasks` of each leaf, where the new process writes kItself
    static constexpr char kItself = '0';
};
/// Makes the leaves, writes the limits and the device rules. Fails with the profile's key; what was made by
/// then is undone by its rows of `will_make`.
[[nodiscard]] Result<CgroupDoors> make_cgroup(const CgroupPlan& plan);
/// Ends every process in the leaves (cgroup.kill, else freezer and pidfds), waits until they are empty.
[[nodiscard]] Result<void> kill_cgroup(const std::map<std::string, std::string>& leaves);
/// Removes one leaf; what is gone already is fine.
[[nodiscard]] Result<void> undo_cgroup(const Made& made);

/// What a container uses now and at its peak; none where this kernel does not tell.
struct Usage {
    std::optional<std::uint64_t> memory, memory_peak, cpu_usec, pids, pids_peak, oom_kills;
};
[[nodiscard]] Usage read_usage(const std::map<std::string, std::string>& leaves);

}  // namespace guard::launcher
