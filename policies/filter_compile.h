#pragma once
#include <linux/filter.h>

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/error.h"
#include "posture/filter_rules.h"

namespace guard::policies {

/// How dear a program is, the first that differs deciding: what the calls of this machine take together, with
/// all arguments 0; the longest of them; the length.
struct FilterCost {
    std::size_t steps = 0, longest = 0, instructions = 0;
    auto operator<=>(const FilterCost&) const = default;
};
[[nodiscard]] Result<FilterCost> cost_of(std::span<const sock_filter> program);

/// The bytes of the BPF program (struct sock_filter[]) that answers as `rules` say, proved to do so for every
/// input: any ABI, number and arguments. It is guard's own or libseccomp's, whichever costs less. Foreign
/// ABIs are killed, with their whole process; where `rules.abis` lets "i386" or "x32" in, the same names mean
/// the same there, and argument tests see 32 bits. `log_denied` is not in the bytes: load with
/// SECCOMP_FILTER_FLAG_LOG. Fails where a name or ABI is unknown, and where it would be too long.
[[nodiscard]] Result<std::string> compile_filter(const FilterRules& rules);

/// What makes programs, by name and version: guard, the architecture, libseccomp.
[[nodiscard]] std::string compiler_version();

/// How libseccomp orders its tests of the call's number. seccomp_attr_set(3) SCMP_FLTATR_CTL_OPTIMIZE
enum class Search : std::uint8_t { linear = 1, tree = 2 };

/// The program that libseccomp makes of the rules, not proved: the measure for guard's own.
[[nodiscard]] Result<std::string> compile_with_libseccomp(const FilterRules& rules,
                                                          Search search = Search::tree);

}  // namespace guard::policies
