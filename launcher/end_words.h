#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/cgroup.h"
#include "launcher/plan.h"

/// What is said of a container that has ended.
namespace guard::launcher {

/// The process that the kernel chose to end at a memory limit.
struct OomVictim {
    std::string command;  ///< its comm: may hold anything
    int pid = 0;
    std::uint64_t memory = 0;  ///< bytes resident
};
/// The last one of the cgroup `path` (as /proc/PID/cgroup has it) in `log`, the text of the kernel's
/// messages.
[[nodiscard]] std::optional<OomVictim> victim_in(std::string_view log, std::string_view path);

/// How it went.
struct End {
    int status = 0;
    std::chrono::seconds up{0};
    std::optional<std::chrono::milliseconds> stopping;  ///< since it was asked to stop
    Usage usage;
    std::optional<OomVictim> victim;
};
/// Lines about a memory limit that was hit; none where none was.
[[nodiscard]] std::vector<std::string> memory_lines(const LaunchPlan& plan, const End& end);
/// "stopped after 3 s as asked (status 143). Data: /var/lib/guard/minecraft"
[[nodiscard]] std::string end_line(const LaunchPlan& plan, const End& end);

/// The kernel's messages, oldest first; empty where they can't be read. dmesg(1), kernel.dmesg_restrict
[[nodiscard]] std::string kernel_log();

}  // namespace guard::launcher
