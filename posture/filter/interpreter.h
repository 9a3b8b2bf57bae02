#pragma once
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace guard {

/// The instructions of a filter, of its bytes as a record keeps them. Fails where the size is not a whole
/// number of instructions from 1 to 4096 (BPF_MAXINSNS).
[[nodiscard]] Result<std::vector<sock_filter>> filter_program(std::string_view bytes);

/// What a filter answers for one call: SECCOMP_RET_... with its data. Takes what the kernel takes from
/// seccomp(2): no packet, no negative offset, forward jumps only. Fails where the kernel would have refused
/// the program, naming the instruction.
[[nodiscard]] Result<std::uint32_t> run_filter(std::span<const sock_filter> program,
                                               const seccomp_data& data);
/// How many instructions that takes.
[[nodiscard]] Result<std::size_t> filter_steps(std::span<const sock_filter> program,
                                               const seccomp_data& data);

}  // namespace guard
