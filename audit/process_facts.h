#pragma once
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "audit/shared_facts.h"
#include "base/descriptor.h"
#include "base/proc_maps.h"
#include "posture/known.h"

namespace guard::audit {

/// Something that a process holds and that may lead out of its container.
struct Handle {
    DescriptorKind kind = DescriptorKind::plain;
    std::string where;          ///< "descriptor 5", "working directory"
    std::string link;           ///< as /proc prints it
    pid_t process = 0;          ///< whom a pidfd stands for, or who made the other end of a socket; 0: none
    std::uint64_t network = 0;  ///< of a socket: id of the network namespace that it was made in
    std::string peer;           ///< of a socket: the address of the other end
};

/// The file that a process runs.
struct ProgramFile {
    std::string path;            ///< inside, without the kernel's " (deleted)"
    bool gone = false;           ///< no name leads to it any more
    bool has_successor = false;  ///< another file has its path by now
    bool in_tree = true;         ///< it is on a mount of the process's own tree
    bool in_writable = false;    ///< which may be written
};

/// What belongs to a process, or to the few threads with descriptors of their own.
struct ProcessFacts {
    Known<std::vector<Handle>> handles;  ///< those that lead nowhere are left out
    Known<ProgramFile> program;
    Known<MemoryMaps> maps;
    Known<std::set<std::string>> environment;  ///< names alone
    std::string print;                         ///< equal where all of the above is equal
};

/// What a process is read by.
struct ProcessSource {
    int folder = -1;            ///< /proc/PID or /proc/PID/task/TID
    pid_t pid = 0, tid = 0;     ///< of whom; still so when the folder answers afterwards
    std::uint64_t network = 0;  ///< id of its network namespace
};
/// `details` is of the same task. What is told stands only if the task lives on when all is read: some of it
/// is asked for by number.
[[nodiscard]] std::shared_ptr<const ProcessFacts> read_process_facts(const ProcessSource& source,
                                                                     const TaskDetails& details,
                                                                     const TreeFacts& tree, Learned& learned);

/// The same of a process that has program and environment in common with another, whose they are taken from.
[[nodiscard]] std::shared_ptr<const ProcessFacts> read_process_facts(const ProcessSource& source,
                                                                     const TaskDetails& details,
                                                                     const TreeFacts& tree, Learned& learned,
                                                                     const ProcessFacts& other);

/// True where a thread has descriptors, root and working directory in common with its leader. kcmp(2)
[[nodiscard]] bool shares_descriptors(pid_t leader, pid_t thread);

}  // namespace guard::audit
