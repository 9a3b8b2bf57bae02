#include "audit/kernel_changes.h"

#include <fcntl.h>
#include <fmt/format.h>

#include "base/sys.h"

namespace guard::audit {

Result<KernelChanges> KernelChanges::open(const KeptFiles& kept) {
    return KernelChanges(TRY(ChangeWalk::open(kept)));
}

void KernelChanges::follow(Interest interest) {
    interest_ = std::move(interest);
    tasks_.clear();
    holdings_.clear();
}

bool KernelChanges::belongs(int proc, const TaskState& task) const {
    const auto folder =
        sys::openat(proc, fmt::format("{}/task/{}", task.pid, task.tid), O_RDONLY | O_DIRECTORY);
    if (!folder) return false;  // it has ended
    NamespaceTable table;       // not kept: a namespace that is held open outlives its container
    const auto facts = read_facts(folder->get(), table);
    return facts && is_of_interest(*facts, interest_, parents_);
}

bool KernelChanges::take(int proc, const TaskState& task) {
    auto& seen = tasks_[task.tid];
    const bool same = seen.start == task.start && seen.print == task.print;
    seen.pass = pass_;
    if (same) return false;
    const bool before = seen.member;
    seen.start = task.start;
    seen.print = task.print;
    seen.member = belongs(proc, task);
    return before || seen.member;
}

bool KernelChanges::drop_gone() {
    bool changed = false;
    std::erase_if(tasks_, [&](const auto& entry) {
        const bool gone = entry.second.pass != pass_;
        changed = changed || (gone && entry.second.member);
        return gone;
    });
    return changed;
}

bool KernelChanges::take_holdings(std::map<pid_t, std::size_t> holdings) {
    std::erase_if(holdings, [this](const auto& entry) { return !is_member(entry.first); });
    const bool changed = holdings != holdings_;
    holdings_ = std::move(holdings);
    return changed;
}

Result<bool> KernelChanges::changed(int proc) {
    ++pass_;
    auto rows = TRY(walk_.read());
    parents_.clear();
    for (const auto& task : rows.tasks) parents_[task.pid] = task.parent;
    bool changed = false;
    for (const auto& task : rows.tasks)
        if (!task.ended) changed = take(proc, task) || changed;
    changed = drop_gone() || changed;
    return take_holdings(std::move(rows.holdings)) || changed;
}

bool KernelChanges::is_member(pid_t process) const {
    const auto found = tasks_.find(process);
    return found != tasks_.end() && found->second.member;
}

}  // namespace guard::audit
