#pragma once
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

namespace guard {

/// What the memory of a process says about its rights. proc_pid_maps(5)
struct MemoryMaps {
    bool write_exec = false;        ///< some mapping may be written and executed
    std::set<std::string> deleted;  ///< files that code was mapped from and that are gone from their place
    bool operator==(const MemoryMaps&) const = default;
};

/// The same by asking only for mappings with code, each by its address, where the kernel can be asked so
/// (6.11): none of the lines without code are printed. Else from the file. `folder` is /proc/PID.
[[nodiscard]] Result<MemoryMaps> read_maps(int folder);
/// Fails with the line that is wrong.
[[nodiscard]] Result<MemoryMaps> parse_maps(std::string_view text);

/// The names in an environment block: never its values. proc_pid_environ(5)
[[nodiscard]] std::set<std::string> names_in_environment(std::string_view block);

}  // namespace guard
