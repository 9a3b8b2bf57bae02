#pragma once
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace guard::support {

/// What a program is started with, besides its arguments.
struct RunOptions {
    std::map<std::string, std::string> env;  ///< set over this process's own
    bool clear_env = false;                  ///< start from nothing instead
    std::string input;                       ///< what it reads on descriptor 0
    std::string folder;                      ///< its working directory; empty: this one
    std::chrono::milliseconds timeout{60'000};
};

struct RunResult {
    int status = -1;  ///< its exit status; 128 + N where signal N ended it; 127 where it could not be run
    std::string out, err;
    bool timed_out = false;  ///< it was asked to end (SIGTERM), and 2 s later killed
};

/// Runs `argv` without a shell (found on PATH) and waits until it has ended. What it started and left running
/// may keep `out` and `err` open: they are read until it has ended and the pipes are empty, not until they
/// close.
[[nodiscard]] RunResult run_program(const std::vector<std::string>& argv, const RunOptions& options = {});

}  // namespace guard::support
