#include "audit/task.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
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
    const auto text = sys::read_record(folder, "stat");
    if (!text) return known<ProcStat>(std::unexpected(text.error()));
    return known(parse_proc_stat(*text));
}

Result<Place> root_in(int folder) {
    const auto status = TRY(sys::statx(folder, "root", STATX_BASIC_STATS | STATX_MNT_ID));
    return Place{status.stx_mnt_id, gnu_dev_makedev(status.stx_dev_major, status.stx_dev_minor),
                 status.stx_ino};
}

// Security modules are there from the start of the machine or never: one task without an answer speaks for
// all.
Known<std::optional<std::string>> label_in(int folder, Learned& learned) {
    if (!learned.labels) return std::optional<std::string>{};
    auto label = known(lsm_label_in(folder));
    const auto* text = value_of(label);
    learned.labels = text == nullptr || text->has_value();
    return label;
}

// Of a file in it, not of the folder itself, which shows the user of the task in any case. proc(5)
Known<std::uint32_t> owner_of(const Result<struct stat>& status) {
    if (!status) return Unknown{status.error().code, "stat status"};
    return status->st_uid;
}

void read_own_details(TaskDetails& details, const TaskFiles& task, pid_t tid, Learned& learned) {
    const int folder = task.folder.get();
    details.root = known(root_in(folder));
    details.personality = known(sys::read_record(folder, "personality"));
    details.owner = owner_of(sys::fstat(task.status.get()));
    details.stat = stat_in(folder);
    details.disk_class = disk_class_of(tid);
    details.label = label_in(folder, learned);
}

}  // namespace

Result<TaskFiles> open_task(int dir, const std::string& name) {
    TaskFiles task;
    task.folder = TRY(sys::openat(dir, name, O_PATH | O_DIRECTORY));
    task.status = TRY(sys::openat(task.folder.get(), "status", O_RDONLY));
    return task;
}

Result<ProcStatus> read_status(const TaskFiles& task) {
    const auto text = TRY(sys::pread_record(task.status.get(), "status"));
    return parse_proc_status(text);
}

Result<TaskFacts> read_facts(const TaskFiles& task, NamespaceTable& namespaces) {
    TaskFacts facts;
    facts.status = TRY(read_status(task));
    const auto cgroups = TRY(sys::read_record(task.folder.get(), "cgroup"));
    facts.cgroups = parse_proc_cgroup(cgroups);
    for (std::size_t row = 0; row < kNamespaces.size(); ++row)
        facts.namespaces.at(row) = namespaces.id_in(task.folder.get(), kNamespaces.at(row));
    return facts;
}

Result<TaskFacts> read_facts(int folder, NamespaceTable& namespaces) {
    return read_facts(TRY(open_task(folder, ".")), namespaces);
}

TaskDetails read_details(const TaskFiles& task, pid_t tid, Learned& learned) {
    TaskDetails details;
    read_own_details(details, task, tid, learned);
    details.limits = known(sys::read_record(task.folder.get(), "limits"));
    details.oom_score_adj = known(sys::read_record(task.folder.get(), "oom_score_adj"));
    details.exe = sys::readlinkat(task.folder.get(), "exe").value_or("");
    if (const auto* stat = value_of(details.stat)) details.start = stat->start;
    return details;
}

TaskDetails read_details(const TaskFiles& task, pid_t tid, Learned& learned, const TaskDetails& leader) {
    auto details = leader;
    read_own_details(details, task, tid, learned);
    return details;
}

void read_what_differs(TaskDetails& details, int folder, pid_t pid, std::uint64_t start, Learned& learned) {
    details.owner = owner_of(sys::fstatat(folder, "status"));
    details.disk_class = disk_class_of(pid);
    details.label = label_in(folder, learned);
    details.start = start;
    if (auto* stat = value_of(details.stat)) stat->start = start;
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
