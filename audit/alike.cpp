#include "audit/alike.h"

#include <utility>

namespace guard::audit {

Result<AlikeProcesses::Processes> AlikeProcesses::processes() {
    Processes all;
    for (const auto& task : TRY(walk_.read())) {
        auto& process = all[task.pid];
        ++process.threads;
        if (task.tid == task.pid) process.task = task;
    }
    return all;
}

const AlikeTask* AlikeProcesses::single(const Processes& all, pid_t pid) {
    const auto found = all.find(pid);
    if (found == all.end() || found->second.threads != 1) return nullptr;
    const auto& task = found->second.task;
    return task.pid == pid && !task.ended && !task.traced ? &task : nullptr;
}

std::optional<AlikeProcesses> AlikeProcesses::look(const KeptFiles& kept) {
    auto walk = AlikeWalk::open(kept);
    if (!walk) return std::nullopt;
    AlikeProcesses alike(*std::move(walk));
    auto before = alike.processes();
    if (!before) return std::nullopt;
    alike.before_ = *std::move(before);
    return alike;
}

const AlikeTask* AlikeProcesses::of(pid_t pid) const { return single(before_, pid); }

Result<void> AlikeProcesses::look_again() {
    after_ = TRY(processes());
    return {};
}

bool AlikeProcesses::stands(pid_t pid) const {
    const auto *before = single(before_, pid), *after = single(after_, pid);
    return before != nullptr && after != nullptr && before->start == after->start &&
           before->kind == after->kind;
}

}  // namespace guard::audit
