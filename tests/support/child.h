#pragma once
#include <sys/types.h>

#include <functional>

#include "base/unique_fd.h"

namespace guard::support {

/// Whether the first thread of a process stays; where it ends, it is a zombie in front of the thread that
/// lives on.
enum class Leader : bool { stays, ends };

/// A process that has become something and waits, until this ends.
class Child {
public:
    /// `become` runs in the child, in the thread that stays; where it returns false, this aborts the test.
    explicit Child(const std::function<bool()>& become, Leader leader = Leader::stays);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child();
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_ = 0;
    UniqueFd pidfd_;
};

/// The exit status of a process that only does this.
[[nodiscard]] int status_of_child(const std::function<int()>& work);

}  // namespace guard::support
