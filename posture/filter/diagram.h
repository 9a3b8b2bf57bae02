#pragma once
#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/error.h"
#include "posture/filter/interned.h"

namespace guard {

/// The words of seccomp_data in the order that diagrams ask about them: two for each 64-bit value, the high
/// half first. What most filters look at first comes first, for that is what keeps diagrams small.
enum class InputWord : std::uint8_t { arch, number, argument0, instruction_pointer = 14 };
inline constexpr unsigned kInputWords = 16;
inline constexpr unsigned kInputBits = kInputWords * 32;

/// The words of one input, in the order of InputWord.
[[nodiscard]] std::array<std::uint32_t, kInputWords> input_words(const seccomp_data& data);
/// The input that has these words.
[[nodiscard]] seccomp_data input_of(const std::array<std::uint32_t, kInputWords>& words);
/// The place in InputWord's order of the word at `offset` of seccomp_data, a multiple of 4 below 64.
[[nodiscard]] unsigned input_word_at(std::uint32_t offset);

/// An answer as the kernel acts on it: an action it does not know is KILL_PROCESS, an errno is at most 4095,
/// and data that the action does not use is 0. seccomp(2)
[[nodiscard]] std::uint32_t settled_answer(std::uint32_t answer);

/// Functions from all 2^512 inputs of a filter to 32-bit answers, as multi-terminal decision diagrams: a node
/// asks for one bit of the input, a leaf holds an answer. Every function has exactly one node in an arena, so
/// that equal filters are equal numbers, and a test for all inputs is a compare of two integers. Conditions
/// are functions whose answers are 0 and 1.
///
/// Nodes live as long as their arena. Beyond its limits the arena is exhausted: whatever is computed from
/// then on is meaningless, and check() fails. Callers check once, at the end of what they compute.
class Diagrams {
public:
    using Node = std::uint32_t;
    struct Limits {
        std::size_t nodes = 1'000'000;   ///< 60 MB with what finds them; a container's filter takes 100,000
        std::size_t steps = 40'000'000;  ///< of all operations together: a second or two
    };
    static constexpr Node kFalse = 0, kTrue = 1;  ///< the leaves 0 and 1

    Diagrams() : Diagrams(Limits{}) {}
    explicit Diagrams(const Limits& limits);

    [[nodiscard]] Node leaf(std::uint32_t answer) { return made({kInputBits, answer, 0}); }
    /// The function that is `zero` or `one`, as bit `bit` of the input says: 0 is the highest bit of the
    /// first word. Both ask only for bits behind it.
    [[nodiscard]] Node node(unsigned bit, Node zero, Node one) {
        return zero == one ? zero : made({bit, zero, one});
    }
    /// The function that is `yes` where `condition` is 1, else `no`.
    [[nodiscard]] Node choose(Node condition, Node yes, Node no);
    /// Two filters on one task: the more restrictive answer, and of two equal actions the newer's. seccomp(2)
    [[nodiscard]] Node stacked(Node newer, Node older) { return apply(Operation::stack, newer, older); }
    /// With every answer as settled_answer has it.
    [[nodiscard]] Node settled(Node of) { return apply(Operation::settle, of, of); }
    /// The function whose answers are the numbers of pairs of answers, kSamePair where they are the same.
    [[nodiscard]] Node paired(Node one, Node other) { return apply(Operation::pair, one, other); }
    struct Pair {
        std::uint32_t one = 0, other = 0;
        bool operator==(const Pair&) const = default;
    };
    static constexpr std::uint32_t kSamePair = 0;
    [[nodiscard]] const Pair& pair(std::uint32_t number) const { return pairs_[number]; }
    /// The condition that a function answers `wanted`.
    [[nodiscard]] Node where(Node of, std::uint32_t wanted) {
        return apply(Operation::same, of, leaf(wanted));
    }
    /// What is left of a function, that asks for no word before `word`, once that one is known.
    [[nodiscard]] Node fixed(Node of, InputWord word, std::uint32_t value) const;

    [[nodiscard]] bool is_leaf(Node node) const { return nodes_[node].bit == kInputBits; }
    [[nodiscard]] std::uint32_t answer(Node leaf) const { return nodes_[leaf].zero; }
    /// The bit a node asks for; kInputBits for a leaf.
    [[nodiscard]] unsigned bit(Node node) const { return nodes_[node].bit; }
    /// What is left of a function once `bit`, at or before the one it asks for, is known.
    [[nodiscard]] Node zero(Node node, unsigned bit) const {
        return nodes_[node].bit == bit ? nodes_[node].zero : node;
    }
    [[nodiscard]] Node one(Node node, unsigned bit) const {
        return nodes_[node].bit == bit ? nodes_[node].one : node;
    }
    /// The answer for one input.
    [[nodiscard]] std::uint32_t answer(Node of, const seccomp_data& data) const;
    /// An input that two functions answer differently, one of this machine's own ABI where there is one; none
    /// where they are the same.
    [[nodiscard]] std::optional<seccomp_data> differing_input(Node one, Node other) const;

    /// Fails with "not analysed" where a limit was met, and says which.
    [[nodiscard]] Result<void> check() const;
    [[nodiscard]] bool exhausted() const { return exhausted_; }
    [[nodiscard]] std::size_t size() const { return nodes_.size(); }

private:
    struct Row {
        std::uint32_t bit, zero, one;  // a leaf's answer is in `zero`
        bool operator==(const Row&) const = default;
    };
    // What is remembered of choose() begins with a node; of the others, with one of these.
    enum class Operation : std::uint32_t { stack = 0x8000'0000, settle, pair, same };
    struct Remembered {
        std::uint32_t first = 0, second = 0, third = 0, result = 0;
    };

    Node made(const Row& row);
    Node apply(Operation operation, Node one, Node other);
    std::uint32_t at_leaves(Operation operation, std::uint32_t one, std::uint32_t other);
    Remembered& remembered(std::uint32_t first, std::uint32_t second, std::uint32_t third);
    bool spent();

    Limits limits_;
    Interned<Row> nodes_;
    Interned<Pair> pairs_;
    std::vector<Remembered> memory_;  // a cache: an entry may be overwritten by any other
    std::size_t steps_ = 0;
    bool exhausted_ = false;
};

}  // namespace guard
