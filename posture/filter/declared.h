#pragma once
#include <linux/seccomp.h>

#include <cstdint>

#include "posture/filter_rules.h"

namespace guard {

/// What a denial is to the kernel: SECCOMP_RET_ERRNO | EPERM and the like.
[[nodiscard]] std::uint32_t action_of(Denial denial);

/// What the rules answer for one call, told without any compiler: the measure that compiled filters are held
/// against. Where `abis` lets i386 or x32 in, the same names mean what they mean there, and arguments are
/// their low halves. Every other ABI is SECCOMP_RET_KILL_PROCESS.
[[nodiscard]] std::uint32_t declared_answer(const FilterRules& rules, const seccomp_data& data);

/// The answer for what a known call is not allowed: ENOSYS where the rules call it absent, else `on_denied`.
[[nodiscard]] std::uint32_t denied_answer(const FilterRules& rules, std::string_view call);

}  // namespace guard
