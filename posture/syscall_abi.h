#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "posture/syscalls.h"

namespace guard {

/// The three ways into an x86-64 kernel. A filter sees which by seccomp_data.arch, but for x32: that is
/// x86_64's with a bit in the number. syscall(2)
enum class Abi : std::uint8_t { x86_64, i386, x32 };
struct AbiRow {
    Abi abi;
    std::string_view name;  ///< as profiles write it
    std::uint32_t arch;     ///< AUDIT_ARCH_... of seccomp_data
};
inline constexpr auto kAbis = std::to_array<AbiRow>({
    {Abi::x86_64, "native", 0xc000'003e},
    {Abi::i386, "i386", 0x4000'0003},
    {Abi::x32, "x32", 0xc000'003e},
});

/// Numbers with this bit are x32's, except -1: that one a tracer leaves to have a call skipped. ptrace(2)
inline constexpr std::uint32_t kX32Bit = 0x4000'0000;
[[nodiscard]] constexpr bool is_x32(std::uint32_t number) { return number >= kX32Bit && number != ~0U; }

/// The ABI of a call, or null for one of another machine.
[[nodiscard]] const AbiRow* find_abi(std::uint32_t arch, std::uint32_t number);
/// The call that `number` of seccomp_data.nr is there, x32's with its bit; null for one that guard does not
/// know.
[[nodiscard]] const SyscallRow* find_syscall(Abi abi, std::uint32_t number);
/// The numbers that mean a call there are all below this one, x32's without its bit.
inline constexpr std::uint32_t kEndOfNumbers = 1024;

/// A number that changes with the tables: with any call, or its number in any ABI.
[[nodiscard]] std::uint64_t syscall_tables_version();

/// The bits of an argument that a filter may ask for there: callers of i386 and x32 hand over 32-bit numbers,
/// and what stands above them is of no meaning.
[[nodiscard]] constexpr std::uint64_t argument_bits(Abi abi) {
    return abi == Abi::x86_64 ? ~0ULL : 0xffff'ffffULL;
}

}  // namespace guard
