#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "posture/finding.h"
#include "posture/power.h"

/// What a survey of the whole machine found: plain data, filled by audit and written by report.
namespace guard {

/// One process with the farthest-reaching of its threads.
struct SurveyedProcess {
    Subject subject;   ///< the thread that reaches farthest; `unit` is empty
    std::string user;  ///< "root", or "(300999)" where this machine has no user of that id
    std::string home;  ///< whose it is: "guard: minecraft", "service cron", "docker 3f2a91"; may be empty
    unsigned threads = 0;
    Power power = Power::little;
    std::string why;
    std::optional<unsigned> filters;   ///< system call filters; 0: none. None: unread
    bool strict = false;               ///< seccomp mode 1: read, write and exit only
    bool machines_users = false;       ///< in the machine's user namespace, where capabilities count
    std::vector<std::string> listens;  ///< "any:443/tcp", "localhost:631/tcp", "/run/docker.sock"
    std::vector<Change> grants;        ///< all it holds beyond nothing granted
    std::vector<std::string> unread;   ///< "namespaces: Permission denied": what nobody knows of it
};

/// A namespace and who keeps it there.
struct SurveyedNamespace {
    std::string type;  ///< a name of kNamespaces
    std::uint64_t id = 0;
    bool machines = false;             ///< the machine's own, as the surveyor sees it
    std::size_t tasks = 0;             ///< threads in it
    std::string first;                 ///< one of them: "java (process 4711)"
    std::vector<std::string> handles;  ///< what else keeps it: "a descriptor of dockerd (process 812)"
};

struct Survey {
    std::vector<SurveyedProcess> processes;     ///< those of farthest reach first
    std::vector<SurveyedNamespace> namespaces;  ///< by type and id
    std::size_t seen = 0;                       ///< processes of which everything was read
    std::size_t all = 0;                        ///< processes that /proc lists, kernel threads left out
    std::size_t kernel_threads = 0;
    std::vector<std::string> unread;  ///< what the survey as a whole could not see, and why
};

}  // namespace guard
