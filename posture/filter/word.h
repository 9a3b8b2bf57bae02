#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "posture/filter/diagram.h"

namespace guard {

/// A 32-bit number that depends on the input of a filter: for each of its bits, lowest first, the condition
/// under which it is 1. Arithmetic is that of BPF: modulo 2^32, without sign.
using Word = std::array<Diagrams::Node, 32>;

[[nodiscard]] Word constant_word(std::uint32_t value);
/// A word of seccomp_data as it is.
[[nodiscard]] Word input_word(Diagrams& diagrams, unsigned place);
/// Its value, where it is the same for all inputs.
[[nodiscard]] std::optional<std::uint32_t> constant_of(const Word& word);

[[nodiscard]] Word word_and(Diagrams& diagrams, const Word& one, const Word& other);
[[nodiscard]] Word word_or(Diagrams& diagrams, const Word& one, const Word& other);
[[nodiscard]] Word word_xor(Diagrams& diagrams, const Word& one, const Word& other);
[[nodiscard]] Word sum(Diagrams& diagrams, const Word& one, const Word& other);
[[nodiscard]] Word difference(Diagrams& diagrams, const Word& from, const Word& take);
[[nodiscard]] Word product(Diagrams& diagrams, const Word& one, const Word& other);
/// Where `by` is 0 the result means nothing.
[[nodiscard]] Word quotient(Diagrams& diagrams, const Word& of, const Word& by);
/// Only the low five bits of `by` count, as in the kernel and in x86.
[[nodiscard]] Word shifted_left(Diagrams& diagrams, const Word& of, const Word& by);
[[nodiscard]] Word shifted_right(Diagrams& diagrams, const Word& of, const Word& by);

/// The conditions that BPF jumps ask for.
[[nodiscard]] Diagrams::Node equal(Diagrams& diagrams, const Word& one, const Word& other);
[[nodiscard]] Diagrams::Node greater(Diagrams& diagrams, const Word& one, const Word& other);
[[nodiscard]] Diagrams::Node any_common_bit(Diagrams& diagrams, const Word& one, const Word& other);

}  // namespace guard
