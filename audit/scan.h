#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "audit/observe.h"
#include "audit/shared_facts.h"
#include "audit/task.h"
#include "base/error.h"

namespace guard::audit {

/// What makes a task worth a closer look: any one of these is enough.
struct Interest {
    std::set<std::uint64_t> namespaces;                     ///< made for a container
    std::set<std::pair<std::string, std::string>> cgroups;  ///< controller and path
    std::set<pid_t> inits;                                  ///< they and all that descends from them
};

/// A namespace that somebody outside keeps, without being in it.
struct KeptNamespace {
    pid_t holder = 0;  ///< 0: a mount keeps it
    std::string name, exe;
    std::uint64_t start = 0;
    std::string by;  ///< "descriptor 9", "/run/netns/x"
    std::uint64_t inode = 0;
};

/// True where any part of `interest` is met; `parents` are those of every process read so far.
[[nodiscard]] bool is_of_interest(const TaskFacts& facts, const Interest& interest,
                                  const std::map<pid_t, pid_t>& parents);

/// All tasks of this machine, in one pass over /proc.
struct Scan {
    std::vector<SeenTask> tasks;         ///< those of interest, with details
    std::map<pid_t, pid_t> alike;        ///< processes of which most was read of another: whose
    std::map<pid_t, pid_t> parents;      ///< of every process
    std::map<pid_t, std::string> names;  ///< the same: comm
    std::vector<KeptNamespace> kept;
    std::map<pid_t, int> unread;  ///< processes that could not be looked at: errno
    std::map<std::string, pid_t>
        contained;             ///< containers by cgroups of guard's making, and a process in each
    std::set<pid_t> unstable;  ///< thread ids that changed while they were read, three times
    SharedFacts shared;
    NamespaceTable namespaces;

    /// Takes in what was read of other processes.
    void merge(Scan other);
};

/// From so many processes on the kernel is asked which are alike: loading its program, which was kept, takes
/// as long as reading twenty of them, and the walks over all threads as long as another ten.
inline constexpr std::size_t kWorthAskingWhoIsAlike = 64;

/// `proc` is /proc. A task that ends meanwhile is left out. Fails where /proc or the cgroup layout can't be
/// read.
[[nodiscard]] Result<Scan> scan(int proc, const Interest& interest, const KeptFiles& kept,
                                std::size_t ask_who_is_alike = kWorthAskingWhoIsAlike);

/// True where `pid` is `ancestor` or descends from it.
[[nodiscard]] bool descends(const std::map<pid_t, pid_t>& parents, pid_t pid, pid_t ancestor);

}  // namespace guard::audit
