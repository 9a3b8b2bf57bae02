#pragma once
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

namespace guard::support {

/// Which instructions any_filter may take.
enum class Arithmetic : std::uint8_t { light, all };  ///< light: no *, no /, no X

/// A program that the kernel takes, made at random: loads, arithmetic, scratch memory, jumps of every kind,
/// answers of every kind. The same seed makes the same program.
[[nodiscard]] std::vector<sock_filter> any_filter(std::mt19937& random, std::size_t size,
                                                  Arithmetic arithmetic);

/// An input near the places where the programs could change their answer: their constants, those beside them,
/// single bits; any ABI.
[[nodiscard]] seccomp_data any_input(std::mt19937& random, std::span<const sock_filter> program);

/// The number of inputs to try: GUARD_FILTER_INPUTS of the environment, else `small`.
[[nodiscard]] std::size_t inputs_to_try(std::size_t small);

}  // namespace guard::support
