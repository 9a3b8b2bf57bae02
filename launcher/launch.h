#pragma once
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "launcher/plan.h"
#include "posture/profile.h"

namespace guard::launcher {

/// Where lines for the user go, one at a time.
struct Telling {
    std::function<void(const std::string&)> notice;    ///< what one has to know
    std::function<void(const std::string&)> progress;  ///< what is nice to see while one waits
};

/// What `guard launch` was asked for.
struct Request {
    Profile profile;
    std::string name;
    std::vector<std::string> command;   ///< after `--`; empty: the profile's
    std::string filter, reaper_filter;  ///< BPF programs, as compile_filter gives them
    bool detach = false;
    Telling telling;  ///< either may be left out
};

/// Everything that can be worked out, looked up or refused before anything is made. Fails with one sentence
/// that names what is wrong and what to do.
[[nodiscard]] Result<LaunchPlan> plan_launch(const Request& request);

/// For --dry-run.
[[nodiscard]] std::string plan_to_json(const LaunchPlan& plan);

/// Why there is no container, and the exit status that says so.
struct LaunchError {
    Error error;
    int status = 125;  ///< 125 guard could not; 126 the command cannot be run; 127 it is not there
};

/// Makes the container and stays as its supervisor until the command ends; returns the command's exit status,
/// 128+N where signal N ended it. With `detach` returns 0 as soon as the command runs, and a process of its
/// own stays. Whatever was made on the host is gone at the end, also after a failure.
[[nodiscard]] std::expected<int, LaunchError> launch(const Request& request);

}  // namespace guard::launcher
