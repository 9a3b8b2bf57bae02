#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace guard {

/// One argument of a system call: its name as in section 2 of the manual, and how many of its low bits the
/// kernel looks at. The bits above are the caller's to set as it likes, so a filter must not look at them.
struct SyscallArgument {
    std::string_view name;
    std::uint8_t bits = 0;  ///< 64, 32 (int, unsigned, ids) or 16 (umode_t)
};

/// One system call of any architecture. syscalls(2)
struct SyscallRow {
    std::string_view name;
    int x86_64 = -1;                             ///< its number there, or -1: other architectures only
    std::array<SyscallArgument, 6> arguments{};  ///< empty names behind the last one
};

/// Every system call that guard knows, sorted by name. A number that no row has is unknown, and answered as
/// `on-unknown` says.
[[nodiscard]] std::span<const SyscallRow> syscalls();
/// The row of that name, or null.
[[nodiscard]] const SyscallRow* find_syscall(std::string_view name);
/// The row of that x86_64 number, or null.
[[nodiscard]] const SyscallRow* find_syscall(int number);
/// Which of the six an argument is, by name or by "0" to "5".
[[nodiscard]] std::optional<unsigned> argument_index(const SyscallRow& call, std::string_view name);
/// The bits of an argument that the kernel looks at; all 64 for one that the table does not name.
[[nodiscard]] std::uint64_t argument_mask(const SyscallRow& call, unsigned index);

}  // namespace guard
