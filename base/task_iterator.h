#pragma once
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/kept_files.h"

namespace guard {

/// One thread, also behind a leader that has ended, as the kernel itself holds it. All of it is of one
/// thread, which ran on meanwhile. Pids are those of this process's PID namespace.
struct TaskRow {
    pid_t pid = 0, tid = 0;
    pid_t tracer = 0;              ///< 0 where there is none, or none that has a pid here
    bool traced = false;           ///< by anyone
    bool filters_in_force = true;  ///< false: its tracer has switched them off. PTRACE_O_SUSPEND_SECCOMP
    bool ended = false;            ///< a zombie: it has no filters any more
    std::uint64_t start = 0;       ///< clock ticks since boot, as proc_pid_stat(5) field 22
    std::uint64_t cap_inheritable = 0, cap_permitted = 0, cap_effective = 0, cap_bounding = 0,
                  cap_ambient = 0;
    unsigned securebits = 0;  ///< SECBIT_... of capabilities(7)
    unsigned no_new_privs = 0;
    unsigned seccomp = 0;          ///< 0 none, 1 strict, 2 filter
    unsigned seccomp_filters = 0;  ///< how many are stacked
    /// Numbers into TaskRows::filters, newest first; of more than 32 the oldest 32, for what came later only
    /// tightens. None where not each of them could be read.
    std::optional<std::vector<std::uint32_t>> filters;
    std::optional<unsigned> landlock_layers;  ///< domains it is in; none where that could not be read
};

/// All threads of this process's PID namespace and of those below it, and the filters they carry.
struct TaskRows {
    std::vector<TaskRow> tasks;        ///< by process
    std::vector<std::string> filters;  ///< bytes of a BPF program each, as seccomp(2) was given them
};

/// The kernel's own walk over all threads, which stops none of them: a small BPF program that reads what
/// /proc shows and what it does not (securebits, the bytes of filters, Landlock). About 1 us a thread. bpf(2)
class TaskIterator {
public:
    /// Loads the program and finds out where Landlock keeps its part. Some 30 ms of processor, most of it for
    /// reading the kernel's type information. Needs CAP_BPF and CAP_PERFMON here, and none of them once it is
    /// open but CAP_BPF. Fails where the kernel has no type information (/sys/kernel/btf/vmlinux), forbids
    /// BPF, or where guard was built without it.
    [[nodiscard]] static Result<TaskIterator> open(const KeptFiles& kept);
    TaskIterator(TaskIterator&& other) noexcept;
    TaskIterator& operator=(TaskIterator&& other) noexcept;
    ~TaskIterator();

    /// Reads every thread. Fails with the errno of bpf(2) or read(2).
    [[nodiscard]] Result<TaskRows> read();

private:
    struct Program;
    explicit TaskIterator(std::unique_ptr<Program> program);
    std::unique_ptr<Program> program_;
};

}  // namespace guard
