#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace guard {

/// What an entry of /proc/PID/fd leads to, told from its link. proc_pid_fd(5)
enum class DescriptorKind : std::uint8_t {
    file,            ///< a path, perhaps one that is gone
    memory_file,     ///< memfd_create(2)
    socket,          ///< socket(7)
    ns_handle,       ///< keeps a namespace, and leads into it. setns(2)
    process_handle,  ///< pidfd_open(2)
    kernel_object,   ///< a way into the kernel that few programs need: kKernelObjects
    plain,           ///< pipes, timers, epoll and the like: they lead nowhere
};
[[nodiscard]] DescriptorKind kind_of_descriptor(std::string_view link);

/// The inode number in "socket:[4711]", "net:[4026532177]"; none where there is none.
[[nodiscard]] std::optional<std::uint64_t> inode_in_link(std::string_view link);

/// One row a kind of kernel object that is worth a word.
struct KernelObjectRow {
    std::string_view link;  ///< what its link begins with
    std::string_view name;  ///< in words
    std::string_view call;  ///< the system call that makes one
};
/// The row of a link; null where it has none.
[[nodiscard]] const KernelObjectRow* kernel_object_of(std::string_view link);

}  // namespace guard
