#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.h"

namespace guard::support {

/// A program that runs beside the test, found on PATH; asked to end (SIGTERM) and waited for at the latest
/// when this goes.
class Running {
public:
    /// `out`: a file that stdout and stderr are added to; empty: this program's own.
    explicit Running(std::vector<std::string> words, const std::string& out = "");
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    [[nodiscard]] pid_t pid() const { return pid_; }
    /// Ends it now, by this signal and 3 s later by SIGKILL; returns its exit status, 128 + N where signal N
    /// ended it.
    int end(int signal);

private:
    pid_t pid_ = 0;
    UniqueFd pidfd_;
};

}  // namespace guard::support
