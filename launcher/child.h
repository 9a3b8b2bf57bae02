#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "launcher/plan.h"

/// The child's half of a launch. Between clone3(2) and execve(2) nothing may allocate, lock or throw: it
/// reads the plan, which was complete before, and makes system calls. signal-safety(7)
namespace guard::launcher {

/// Descriptors and addresses that the child finds in its copy of this process.
struct ChildInput {
    const LaunchPlan* plan = nullptr;
    std::span<const int> mounts;  ///< one for each of plan->mounts: a detached mount, or -1
    std::span<const int> tasks;   ///< v1: the file `tasks` of each cgroup that it enters
    int sync = -1;                ///< its end of the socket to the supervisor
    int supervisor = -1;          ///< the other end, which it closes
    int report = -1;              ///< a pipe for one StepFailure; end of file: the command runs
    int null = -1;                ///< /dev/null
    int stdio[3] = {-1, -1, -1};  ///< what the command gets as 0 to 2
    char* const* argv = nullptr;
    char* const* envp = nullptr;
    std::span<char> arguments;  ///< of this process, to be wiped: the caller's argv and environment
};

/// What the child could not do.
struct StepFailure {
    std::uint32_t step = 0;   ///< row of the step table
    std::uint32_t index = 0;  ///< which mount, limit or rule
    std::int32_t error = 0;   ///< errno
};
/// What the step attempts, for the sentence: "mount /srv/minecraft".
[[nodiscard]] std::string describe_step(const StepFailure& failure, const LaunchPlan& plan);
/// 127 where the command is not there, 126 where it cannot be run, else 125.
[[nodiscard]] int status_of(const StepFailure& failure);

/// Bytes on the socket from the supervisor to the child.
inline constexpr char kMapsAreReady = 'm', kRun = 'r';
/// Bytes that come with a descriptor from the child.
inline constexpr char kTerminal = 't', kPayload = 'p';

/// Does every step; the payload then is the command, this process PID 1. Returns never.
[[noreturn]] void run_child(const ChildInput& input) noexcept;

}  // namespace guard::launcher
