#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audit/scan.h"
#include "posture/record.h"

namespace guard::audit {

/// Cheap looks at what an audit reads, to know when another audit is worth its cost: through descriptors that
/// stay open, and only at what can have changed. It never says "the same" of what it could not read.
class ChangeWatch {
public:
    /// `kept`: where what opening the kernel's walk takes is remembered.
    explicit ChangeWatch(KeptFiles kept = {});
    ~ChangeWatch();
    ChangeWatch(ChangeWatch&&) noexcept;
    ChangeWatch& operator=(ChangeWatch&&) noexcept;

    /// Looks at these containers from now on. Fails where /proc can't be read.
    [[nodiscard]] Result<void> follow(const std::vector<const Record*>& live);
    /// True where a task of these containers, or one that came to belong to them, has come, gone or changed,
    /// or what they share has.
    [[nodiscard]] Result<bool> changed();
    /// True for a process that belonged to one of the containers at the last look.
    [[nodiscard]] bool is_member(pid_t process) const;
    /// Threads that are looked at now, of the whole machine.
    [[nodiscard]] std::size_t tasks() const;

private:
    struct Inside;
    std::unique_ptr<Inside> inside_;
};

}  // namespace guard::audit
