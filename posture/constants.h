#pragma once
#include <cstdint>
#include <span>
#include <string_view>

namespace guard {

/// What a constant is a value of.
enum class ConstantSet : std::uint8_t {
    none,
    family,
    socket_type,
    protocol,
    clone_flags,
    fcntl_command,
    file_mode,
    open_flags,
    protection,
    map_flags,
    advice,
    prctl_option,
    arch_prctl_code,
    terminal_request,
    persona,
    futex_operation,
    seccomp_operation,
    memfd_flags,
    clock,
    signal,
    resource,
    policy,
    ipc_command,
    priority_kind,
    socket_level
};

/// A constant as the kernel's headers write it.
struct ConstantRow {
    ConstantSet set;
    std::string_view name;
    std::uint64_t value;
};

/// All constants that a condition may name.
[[nodiscard]] std::span<const ConstantRow> constants();
/// What the values of a call's argument are called; `none` where they have no names.
[[nodiscard]] ConstantSet constants_of(std::string_view call, std::string_view argument);
/// The constant of that name in `set`, or null.
[[nodiscard]] const ConstantRow* find_constant(ConstantSet set, std::string_view name);
/// The first constant with that value in `set`, or null.
[[nodiscard]] const ConstantRow* find_constant(ConstantSet set, std::uint64_t value);

}  // namespace guard
