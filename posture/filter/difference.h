#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "posture/filter/argument_set.h"
#include "posture/filter/diagram.h"
#include "posture/syscall_abi.h"

namespace guard {

/// What a change of an answer means to who reviews it.
enum class Effect : std::uint8_t {
    new_access,          ///< was refused, is allowed, or asked of a supervisor or tracer
    lost_access,         ///< the other way round
    changed_failure,     ///< refused before and after, otherwise: EPERM, ENOSYS, a signal, an end
    changed_supervision  ///< not refused before or after, but asked, logged or traced otherwise
};
[[nodiscard]] Effect effect_of(std::uint32_t before, std::uint32_t after);
/// Whether an answer lets more through than another: refused is less than asked of a supervisor or tracer,
/// and that less than allowed, logged or not.
[[nodiscard]] bool is_more_permissive(std::uint32_t before, std::uint32_t after);

/// Numbers of seccomp_data.nr, both included; x32's with their bit.
struct NumberRange {
    std::uint32_t first = 0, last = 0;
    bool operator==(const NumberRange&) const = default;
};

/// One call, or the numbers that guard knows no call for, that is answered otherwise for some arguments.
struct FilterChange {
    const AbiRow* abi = nullptr;          ///< null: every other architecture
    const SyscallRow* call = nullptr;     ///< null: `numbers` mean no call that guard knows
    std::vector<NumberRange> numbers;     ///< one number for a known call
    std::uint32_t before = 0, after = 0;  ///< settled answers: SECCOMP_RET_... with its data
    ArgumentSet arguments;                ///< for which the answer was `before` and is `after`
    seccomp_data witness{};               ///< one such input
    Effect effect = Effect::new_access;
    bool looser = false;  ///< is_more_permissive(before, after)
};

/// Everything that is answered otherwise `after` than `before`, for all 2^512 inputs: first the machine's own
/// ABI, then i386, x32 and other architectures, each by number. Empty exactly where the functions are the
/// same. Fails with "not analysed" where call numbers are told apart in more than 20,000 stretches, or at the
/// arena's limits.
[[nodiscard]] Result<std::vector<FilterChange>> difference(Diagrams& diagrams, Diagrams::Node before,
                                                           Diagrams::Node after);

/// An input whose answer lets more through `after` than `before`; none: proved that there is no new access.
/// Fails at the arena's limits.
[[nodiscard]] Result<std::optional<seccomp_data>> new_access(Diagrams& diagrams, Diagrams::Node before,
                                                             Diagrams::Node after);

}  // namespace guard
