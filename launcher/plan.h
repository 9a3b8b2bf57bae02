#pragma once
#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "launcher/cgroup.h"
#include "launcher/landlock.h"
#include "launcher/network.h"
#include "launcher/state.h"
#include "posture/limit.h"
#include "posture/profile.h"

/// What a launch will do, as plain data: worked out from a profile and what is known of the host, before
/// anything is made.
namespace guard::launcher {

/// What is found at a path of the host.
struct PathFacts {
    enum class Kind : std::uint8_t { missing, directory, file, link, other } kind = Kind::missing;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string target;  ///< of a link
};

/// What a plan needs to know of this host and this process; a test gives its own.
struct HostFacts {
    std::map<std::string, PathFacts> paths;          ///< every path that a plan may ask for
    std::map<std::string, std::string> files;        ///< contents that are copied into the generated /etc
    std::map<std::string, std::string> environment;  ///< of the caller, for env-pass
    std::array<rlimit, kRlimits.size()> rlimits{};   ///< of this process, by the kernel's number
    int landlock_abi = 0;                            ///< 0: this kernel has none
    bool memfd_noexec = false;                       ///< vm.memfd_noexec is there (6.3)
    unsigned filters = 0;                            ///< seccomp filters that this process has already
    bool terminal = false;                           ///< launched from a terminal, attached
    std::optional<std::string> lsm_label;            ///< of this process; none where no module gives labels
    IdRange ids;                                     ///< the own range
    std::string data;                                ///< {data}: /var/lib/guard/NAME
    std::vector<std::string> private_paths;  ///< guard's own folders: never given to a container to write
    std::vector<std::string> host_mounts;    ///< places of every mount of this host, for recursive binds
};

/// One mount inside. The list of them is the tree that the child makes, what Landlock is derived from and
/// what the record promises.
struct PlannedMount {
    /// Who makes it.
    enum class Make : std::uint8_t {
        outside,      ///< a bind: opened with host rights before the child exists
        fresh,        ///< a file system made by the child, so that it belongs to its namespaces
        again,        ///< what is at `place` already, mounted over itself with less rights
        hidden_file,  ///< /dev/null over a file of the kernel
        hidden_dir,   ///< an empty directory over one of the kernel
    };
    /// What is at its place before.
    enum class Target : std::uint8_t {
        new_directory,  ///< in a tmpfs that guard has just made: nobody else can have put anything there
        new_file,
        existing,  ///< or to be made below what somebody else owns: walked link by link
    };
    std::string place;  ///< "/srv/minecraft"; "/" comes first
    Mount mount;        ///< as it will look from inside
    Make make = Make::fresh;
    Target target = Target::new_directory;
    std::map<std::string, std::string> options;  ///< for fsconfig(2); an empty value is a flag
    bool closed_last = false;                    ///< made read-only after everything is in place
    bool source_is_file = false;
    uid_t source_uid = 0;  ///< who owned the source when it was planned
    gid_t source_gid = 0;
};

struct PlannedFile {
    std::string path, content;  ///< path below the root, without a leading slash
    unsigned mode = 0644;
};
struct PlannedLink {
    std::string path, target;
};
struct PlannedDirectory {
    std::string path;
    unsigned mode = 0755;
};

/// How descriptors 0 to 2 reach the world.
enum class Stdio : std::uint8_t { pipes, terminal };

struct Credentials {
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
    std::uint64_t bounding = 0, permitted = 0, effective = 0, inheritable = 0, ambient = 0;
    unsigned securebits = 0;  ///< SECBIT_... of capabilities(7)
};

struct LaunchPlan {
    Profile profile;  ///< as declared; its posture is what `expected` is made from
    Posture expected, reaper;
    std::string name;
    std::vector<std::string> command, environment;  ///< argv; KEY=VALUE
    std::vector<std::string> programs;              ///< paths to try in order: command[0] on PATH
    std::string workdir, hostname;
    std::uint64_t namespaces = 0;  ///< CLONE_NEW...
    bool own_users = true;         ///< a user namespace of its own
    IdRange ids;
    std::string uid_map, gid_map;  ///< as written to /proc/PID/uid_map
    std::vector<PlannedDirectory> directories;
    std::vector<PlannedFile> files;
    std::vector<PlannedLink> links;
    std::vector<PlannedMount> mounts;
    std::size_t early_mounts = 1;  ///< so many of them hold the directories, files and links
    Credentials payload, init;     ///< of the command and of PID 1
    std::array<std::optional<rlimit>, kRlimits.size()> rlimits{};  ///< only those that change
    std::optional<int> oom_score_adj;
    unsigned umask = 0027;
    unsigned long personality = 0;
    std::string time_offsets;  ///< as written to timens_offsets; empty: the host's clocks
    LandlockPlan landlock;
    bool memfd_noexec = false;
    CgroupPlan cgroup;
    NetworkPlan network;
    std::string filter, reaper_filter;  ///< BPF bytes
    bool log_denied = false;
    Stdio stdio = Stdio::pipes;
    bool interactive = false;  ///< the caller's input reaches the command
    bool make_data = false;    ///< {data} is not there yet
    std::string data, log;
    std::vector<std::string> notices;  ///< what this host lacks and `optional` allows to lack
};

/// The pure part of plan_launch: `command` replaces the profile's where it is not empty. Filters are not
/// filled in.
[[nodiscard]] Result<LaunchPlan> plan_from(const Profile& profile, const std::string& name,
                                           const std::vector<std::string>& command, const HostFacts& host,
                                           CgroupPlan cgroup, NetworkPlan network);

/// The file tree of `plan`: what plan_from does for [filesystem]. Fails where a source is missing or a grant
/// would give away the host.
[[nodiscard]] Result<void> plan_root(LaunchPlan& plan, const HostFacts& host);

/// What a task of the command, and PID 1, will look like from outside: the promise that audit holds it to.
[[nodiscard]] Posture expected_posture(const LaunchPlan& plan, const HostFacts& host);
[[nodiscard]] Posture reaper_posture(const LaunchPlan& plan);

/// Every path of the host that a plan for `profile` asks about.
[[nodiscard]] std::vector<std::string> paths_asked(const Profile& profile, const std::string& data,
                                                   const std::string& name);

/// `source` of a bind as written in the profile, with {data} and {name} filled in.
[[nodiscard]] std::string filled_in(std::string source, const std::string& data, const std::string& name);

}  // namespace guard::launcher
