#pragma once
#include <sys/types.h>

#include <optional>
#include <unordered_map>

#include "base/change_walk.h"

namespace guard::audit {

/// Which processes may do exactly the same, so that one of them is read for all. The kernel's walk before and
/// the one after the reading both have to say so: whatever two processes have in common in both was the same
/// thing all along, for the one that was read kept it from being freed.
class AlikeProcesses {
public:
    /// None where the kernel can't be asked.
    [[nodiscard]] static std::optional<AlikeProcesses> look(const KeptFiles& kept);
    /// Of a process with one thread, which is not traced; null for all others.
    [[nodiscard]] const AlikeTask* of(pid_t pid) const;
    /// The walk after the reading. Fails with the errno of bpf(2).
    [[nodiscard]] Result<void> look_again();
    /// True where a process is in the walk after the reading what it was in the one before.
    [[nodiscard]] bool stands(pid_t pid) const;

private:
    struct Process {
        AlikeTask task;
        unsigned threads = 0;
    };
    using Processes = std::unordered_map<pid_t, Process>;
    explicit AlikeProcesses(AlikeWalk walk) : walk_(std::move(walk)) {}
    [[nodiscard]] Result<Processes> processes();
    [[nodiscard]] static const AlikeTask* single(const Processes& all, pid_t pid);

    AlikeWalk walk_;
    Processes before_, after_;
};

}  // namespace guard::audit
