#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/kept_files.h"

namespace guard {

/// One thread in one walk. Pids are those of this process's PID namespace.
struct TaskState {
    pid_t pid = 0, tid = 0;
    pid_t parent = 0;         ///< of the process; 0 where it has no number here
    std::uint64_t start = 0;  ///< nanoseconds since boot
    bool ended = false;
    /// Equal where ids, groups, capabilities, securebits, filters, namespaces, cgroups, limits, root,
    /// program, terminal, tracer, name and scheduling are what they were. All of it, and no hash of it:
    /// whoever chooses his own limits could look for two that hash alike.
    std::string print;
};

struct ChangeRows {
    std::vector<TaskState> tasks;
    /// By process, where there is any: what it holds open or has mapped to be executed that its own file
    /// tree does not have, and whether memory is writable and executable at once.
    std::map<pid_t, std::size_t> holdings;
};

/// The kernel's own walk over all threads, their files and memory areas, to know whether something has
/// changed since the last one: less than 2 us a thread, and nothing of /proc is read. bpf(2)
class ChangeWalk {
public:
    /// Needs CAP_BPF and CAP_PERFMON, and Linux 5.12. Fails as TaskIterator::open does.
    [[nodiscard]] static Result<ChangeWalk> open(const KeptFiles& kept);
    ChangeWalk(ChangeWalk&& other) noexcept;
    ChangeWalk& operator=(ChangeWalk&& other) noexcept;
    ~ChangeWalk();

    /// Fails with the errno of bpf(2) or read(2).
    [[nodiscard]] Result<ChangeRows> read();

private:
    struct Programs;
    explicit ChangeWalk(std::unique_ptr<Programs> programs);
    std::unique_ptr<Programs> programs_;
};

/// One thread among all, by what it may do.
struct AlikeTask {
    pid_t pid = 0, tid = 0;
    pid_t parent = 0;         ///< of the process; 0 where it has no number here
    std::uint64_t start = 0;  ///< clock ticks since boot, as /proc has it
    bool ended = false, traced = false;
    /// The same for two threads exactly where all that TaskState's print is made of is the same, byte by
    /// byte, and so is the PID namespace: they have the same file tree, program, groups and filters in the
    /// kernel's memory. Of one walker; held against two walks it is proof, for what a task has in both cannot
    /// have been freed between them.
    std::size_t kind = 0;
    bool operator==(const AlikeTask&) const = default;
};

/// The threads of this machine by what they may do: 2 us each, and 1.5 ms to begin with where the program was
/// kept. bpf(2)
class AlikeWalk {
public:
    /// Fails as ChangeWalk::open does, and where this machine may have more processors than are compared.
    [[nodiscard]] static Result<AlikeWalk> open(const KeptFiles& kept);
    AlikeWalk(AlikeWalk&& other) noexcept;
    AlikeWalk& operator=(AlikeWalk&& other) noexcept;
    ~AlikeWalk();

    /// Fails with the errno of bpf(2) or read(2).
    [[nodiscard]] Result<std::vector<AlikeTask>> read();

private:
    struct Program;
    explicit AlikeWalk(std::unique_ptr<Program> program);
    std::unique_ptr<Program> program_;
};

}  // namespace guard
