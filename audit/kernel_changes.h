#pragma once
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "audit/scan.h"
#include "base/change_walk.h"

namespace guard::audit {

/// Cheap looks at what an audit reads of tasks, by the kernel's own walk: rights of every thread, and what
/// each process holds or maps beyond its file tree.
class KernelChanges {
public:
    /// Fails as ChangeWalk::open does.
    [[nodiscard]] static Result<KernelChanges> open(const KeptFiles& kept);

    void follow(Interest interest);
    /// True where a task that belongs, or came to belong, has come, gone or changed. `proc` is /proc: who is
    /// new or has changed is asked there where it belongs. Fails as ChangeWalk::read does.
    [[nodiscard]] Result<bool> changed(int proc);
    [[nodiscard]] bool is_member(pid_t process) const;
    [[nodiscard]] std::size_t tasks() const { return tasks_.size(); }

private:
    struct Seen {
        std::uint64_t start = 0;
        std::string print;
        bool member = false;
        unsigned pass = 0;
    };
    explicit KernelChanges(ChangeWalk walk) : walk_(std::move(walk)) {}
    [[nodiscard]] bool belongs(int proc, const TaskState& task) const;
    bool take(int proc, const TaskState& task);
    bool drop_gone();
    bool take_holdings(std::map<pid_t, std::size_t> holdings);

    ChangeWalk walk_;
    Interest interest_;
    std::unordered_map<pid_t, Seen> tasks_;  // by thread
    std::map<pid_t, pid_t> parents_;
    std::map<pid_t, std::size_t> holdings_;  // of members
    unsigned pass_ = 0;
};

}  // namespace guard::audit
