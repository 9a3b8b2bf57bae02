#include "audit/task.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "audit/known.h"
#include "base/lsm_label.h"
#include "base/process.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

Known<int> disk_class_of(pid_t tid) {
    constexpr int kOneTask = 1;
    constexpr unsigned kClassShift = 13;
    const auto priority = ::syscall(SYS_ioprio_get, kOneTask, tid);
    if (priority < 0) return Unknown{errno, "ask for the disk priority"};
    return static_cast<int>(static_cast<unsigned>(priority) >> kClassShift);
}

Known<ProcStat> stat_in(int folder) {
    const auto text = sys::read_file(folder, "stat");
    if (!text) return known<ProcStat>(std::unexpected(text.error()));
    return known(parse_proc_stat(*text));
}

void read_own_details(TaskDetails& details, int folder, pid_t tid) {
    details.root = known(sys::readlinkat(folder, "root"));
    details.personality = known(sys::read_file(folder, "personality"));
    // Not of the folder itself, which shows the user of the task in any case. proc(5)
    const auto status = sys::fstatat(folder, "status");
    details.owner =
        status ? Known<std::uint32_t>(status->st_uid) : Unknown{status.error().code, "stat status"};
    details.stat = stat_in(folder);
    details.disk_class = disk_class_of(tid);
    details.label = known(lsm_label_in(folder));
}

}  // namespace

Result<ProcStatus> read_status(int folder) {
    const auto text = TRY(sys::read_file(folder, "status"));
    return parse_proc_status(text);
}

Result<TaskFacts> read_facts(int folder, NamespaceTable& namespaces) {
    TaskFacts facts;
    facts.status = TRY(read_status(folder));
    const auto cgroups = TRY(sys::read_file(folder, "cgroup"));
    facts.cgroups = parse_proc_cgroup(cgroups);
    for (std::size_t row = 0; row < kNamespaces.size(); ++row)
        facts.namespaces.at(row) = namespaces.id_in(folder, kNamespaces.at(row));
    return facts;
}

TaskDetails read_details(int folder, pid_t tid) {
    TaskDetails details;
    read_own_details(details, folder, tid);
    details.limits = known(sys::read_file(folder, "limits"));
    details.oom_score_adj = known(sys::read_file(folder, "oom_score_adj"));
    details.exe = sys::readlinkat(folder, "exe").value_or("");
    if (const auto* stat = value_of(details.stat)) details.start = stat->start;
    return details;
}

TaskDetails read_details(int folder, pid_t tid, const TaskDetails& leader) {
    auto details = leader;
    read_own_details(details, folder, tid);
    return details;
}

bool same_rights(const ProcStatus& before, const ProcStatus& after) {
    auto settled = after;
    settled.state = before.state;  // running or asleep, and how many threads: no right
    settled.threads = before.threads;
    return before == settled;
}

bool ProcessFolder::alive() const {
    const auto ended = sys::pidfd_wait(pidfd.get(), 0);
    return ended && !*ended;
}

Result<ProcessFolder> open_process_folder(int proc, pid_t pid) {
    ProcessFolder process;
    process.pidfd = TRY(sys::pidfd_open(pid));
    process.folder = TRY(sys::openat(proc, std::to_string(pid), O_RDONLY | O_DIRECTORY));
    // The pidfd was there first: while it answers, the folder is of the same process.
    if (!process.alive()) return fail_errno("open process " + std::to_string(pid), ESRCH);
    return process;
}

}  // namespace guard::audit
