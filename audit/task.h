#pragma once
#include <sys/types.h>

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/namespace_table.h"
#include "base/cgroup_layout.h"
#include "base/error.h"
#include "base/proc_stat.h"
#include "base/proc_status.h"
#include "base/unique_fd.h"
#include "posture/known.h"
#include "posture/namespaces.h"

namespace guard::audit {

struct ProcessFacts;

/// Ids of a task's namespaces, by row of kNamespaces.
using TaskNamespaces = std::array<Known<std::uint64_t>, kNamespaces.size()>;

/// One task by its folder, /proc/PID or /proc/PID/task/TID, and its status file, which is read more than
/// once: whatever is read through either is of this task or fails with ESRCH, also when its number is
/// another's by now.
struct TaskFiles {
    UniqueFd folder, status;
};
/// Fails with ESRCH or ENOENT where there is none.
[[nodiscard]] Result<TaskFiles> open_task(int dir, const std::string& name);

/// What tells whether a task belongs to a container; read of every task of this machine.
struct TaskFacts {
    ProcStatus status;
    TaskNamespaces namespaces;
    CgroupPaths cgroups;
};
/// Fails with ESRCH or ENOENT where the task has ended.
[[nodiscard]] Result<ProcStatus> read_status(const TaskFiles& task);
/// Fails with ESRCH or ENOENT where the task has ended. A namespace that can't be read is an Unknown.
[[nodiscard]] Result<TaskFacts> read_facts(const TaskFiles& task, NamespaceTable& namespaces);
[[nodiscard]] Result<TaskFacts> read_facts(int folder, NamespaceTable& namespaces);

/// What is the same for all tasks of this machine, as the first of them told.
struct Learned {
    bool labels = true;                ///< a security module may give some
    std::optional<dev_t> pipe_device;  ///< of pipes without a name
};

/// A directory, by what does not depend on whose root it is seen from.
struct Place {
    std::uint64_t mount = 0, device = 0, inode = 0;
    auto operator<=>(const Place&) const = default;
};

/// The rest of what only this task has; read of a container's tasks. Texts as the files hold them.
struct TaskDetails {
    Known<Place> root;
    Known<std::string> personality;
    Known<std::uint32_t> owner;  ///< of its files
    Known<ProcStat> stat;
    Known<int> disk_class;                    ///< IOPRIO_CLASS_... of ioprio_get(2)
    Known<std::optional<std::string>> label;  ///< lsm_label_in(): none where no security module gives any
    // Of its process:
    Known<std::string> limits, oom_score_adj;
    std::shared_ptr<const ProcessFacts> process;
    std::string exe;          ///< empty where it can't be read
    std::uint64_t start = 0;  ///< clock ticks since boot. proc_pid_stat(5) field 22
};
[[nodiscard]] TaskDetails read_details(const TaskFiles& task, pid_t tid, Learned& learned);
/// The same of a further thread: what belongs to the process is taken from `leader`.
[[nodiscard]] TaskDetails read_details(const TaskFiles& task, pid_t tid, Learned& learned,
                                       const TaskDetails& leader);

/// What a process that is like that of `details` may have for itself: its folder's owner, its turn at the
/// disk, its label, its start.
void read_what_differs(TaskDetails& details, int folder, pid_t pid, std::uint64_t start, Learned& learned);

/// True where nothing that a rights check reads has changed between two looks.
[[nodiscard]] bool same_rights(const ProcStatus& before, const ProcStatus& after);

/// One process, held by pidfd and by one directory descriptor: whatever is read through it is of this process
/// or fails with ESRCH, also when its pid is another's by now.
struct ProcessFolder {
    UniqueFd pidfd, folder;
    /// False once the last of its threads has ended.
    [[nodiscard]] bool alive() const;
};
/// `proc` is /proc. Fails with ESRCH or ENOENT where there is none.
[[nodiscard]] Result<ProcessFolder> open_process_folder(int proc, pid_t pid);

}  // namespace guard::audit
