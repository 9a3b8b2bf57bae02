#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "base/error.h"

namespace guard {

/// One thread in one walk. Pids are those of this process's PID namespace.
struct TaskState {
    pid_t pid = 0, tid = 0;
    pid_t parent = 0;         ///< of the process; 0 where it has no number here
    std::uint64_t start = 0;  ///< nanoseconds since boot
    bool ended = false;
    /// Equal where ids, groups, capabilities, securebits, filters, namespaces, cgroups, limits, root,
    /// program, terminal, tracer, name and scheduling are what they were.
    std::size_t print = 0;
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
    [[nodiscard]] static Result<ChangeWalk> open();
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

}  // namespace guard
