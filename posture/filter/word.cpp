#include "posture/filter/word.h"

#include <cstddef>

namespace guard {
namespace {

using Node = Diagrams::Node;
constexpr Node kFalse = Diagrams::kFalse;
constexpr Node kTrue = Diagrams::kTrue;

Node negated(Diagrams& diagrams, Node of) { return diagrams.choose(of, kFalse, kTrue); }
Node both(Diagrams& diagrams, Node one, Node other) { return diagrams.choose(one, other, kFalse); }
Node either(Diagrams& diagrams, Node one, Node other) { return diagrams.choose(one, kTrue, other); }
Node unequal(Diagrams& diagrams, Node one, Node other) {
    if (one == kFalse || other == kFalse) return one | other;  // kFalse is 0
    return diagrams.choose(one, negated(diagrams, other), other);
}

template <class Operation>
Word each_bit(Diagrams& diagrams, const Word& one, const Word& other, Operation operation) {
    Word word{};
    for (std::size_t i = 0; i < word.size(); ++i) word.at(i) = operation(diagrams, one.at(i), other.at(i));
    return word;
}

Word chosen(Diagrams& diagrams, Node condition, const Word& yes, const Word& no) {
    Word word{};
    for (std::size_t i = 0; i < word.size(); ++i)
        word.at(i) = diagrams.choose(condition, yes.at(i), no.at(i));
    return word;
}

Word sum_with(Diagrams& diagrams, const Word& one, const Word& other, Node carry) {
    Word word{};
    for (std::size_t i = 0; i < word.size(); ++i) {
        const Node differ = unequal(diagrams, one.at(i), other.at(i));
        word.at(i) = unequal(diagrams, differ, carry);
        carry = diagrams.choose(differ, carry, one.at(i));
    }
    return word;
}

// By a number of bits that is known, towards the high end or away from it.
Word moved(const Word& of, int bits) {
    Word word{};
    for (int i = 0; i < 32; ++i)
        if (const int from = i - bits; from >= 0 && from < 32)
            word.at(static_cast<std::size_t>(i)) = of.at(static_cast<std::size_t>(from));
    return word;
}

// By a number of bits that the input decides: 1, 2, 4, 8 and 16 of them, each or not.
Word shifted(Diagrams& diagrams, Word word, const Word& by, int direction) {
    for (int i = 0; i < 5; ++i)
        word = chosen(diagrams, by.at(static_cast<std::size_t>(i)), moved(word, direction * (1 << i)), word);
    return word;
}

}  // namespace

Word constant_word(std::uint32_t value) {
    Word word{};
    for (std::size_t i = 0; i < word.size(); ++i) word.at(i) = (value >> i & 1U) != 0 ? kTrue : kFalse;
    return word;
}

Word input_word(Diagrams& diagrams, unsigned place) {
    Word word{};
    for (unsigned i = 0; i < word.size(); ++i) word.at(i) = diagrams.node(place * 32 + 31 - i, kFalse, kTrue);
    return word;
}

std::optional<std::uint32_t> constant_of(const Word& word) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < word.size(); ++i) {
        if (word.at(i) > kTrue) return std::nullopt;
        value |= word.at(i) << i;
    }
    return value;
}

Word word_and(Diagrams& diagrams, const Word& one, const Word& other) {
    return each_bit(diagrams, one, other, both);
}
Word word_or(Diagrams& diagrams, const Word& one, const Word& other) {
    return each_bit(diagrams, one, other, either);
}
Word word_xor(Diagrams& diagrams, const Word& one, const Word& other) {
    return each_bit(diagrams, one, other, unequal);
}

Word sum(Diagrams& diagrams, const Word& one, const Word& other) {
    return sum_with(diagrams, one, other, kFalse);
}

Word difference(Diagrams& diagrams, const Word& from, const Word& take) {
    return sum_with(diagrams, from, word_xor(diagrams, take, constant_word(~0U)), kTrue);
}

Word product(Diagrams& diagrams, const Word& one, const Word& other) {
    if (constant_of(one))
        return constant_of(other) ? constant_word(*constant_of(one) * *constant_of(other))
                                  : product(diagrams, other, one);
    Word total = constant_word(0);
    for (std::size_t i = 0; i < other.size() && !diagrams.exhausted(); ++i) {
        if (other.at(i) == kFalse) continue;
        const auto summand = moved(one, static_cast<int>(i));
        total = chosen(diagrams, other.at(i), sum(diagrams, total, summand), total);
    }
    return total;
}

// Long division: the highest bit first, subtracting wherever it fits. What is left is below `by`, so that it
// may lose its highest bit when doubled; it fits then in any case.
Word quotient(Diagrams& diagrams, const Word& of, const Word& by) {
    Word result{};
    Word left = constant_word(0);
    for (std::size_t i = of.size(); i-- > 0 && !diagrams.exhausted();) {
        const Node lost = left.back();
        left = moved(left, 1);
        left.front() = of.at(i);
        const Node fits = either(diagrams, lost, negated(diagrams, greater(diagrams, by, left)));
        left = chosen(diagrams, fits, difference(diagrams, left, by), left);
        result.at(i) = fits;
    }
    return result;
}

Word shifted_left(Diagrams& diagrams, const Word& of, const Word& by) { return shifted(diagrams, of, by, 1); }
Word shifted_right(Diagrams& diagrams, const Word& of, const Word& by) {
    return shifted(diagrams, of, by, -1);
}

Node equal(Diagrams& diagrams, const Word& one, const Word& other) {
    Node result = kTrue;
    for (std::size_t i = 0; i < one.size(); ++i) {
        if (other.at(i) == kTrue)
            result = diagrams.choose(one.at(i), result, kFalse);
        else
            result = diagrams.choose(unequal(diagrams, one.at(i), other.at(i)), kFalse, result);
    }
    return result;
}

Node greater(Diagrams& diagrams, const Word& one, const Word& other) {
    Node result = kFalse;
    for (std::size_t i = 0; i < one.size(); ++i) {
        const Node bit = one.at(i);
        if (other.at(i) == kTrue)
            result = diagrams.choose(bit, result, kFalse);
        else if (other.at(i) == kFalse)
            result = diagrams.choose(bit, kTrue, result);
        else
            result = diagrams.choose(unequal(diagrams, bit, other.at(i)), bit, result);
    }
    return result;
}

Node any_common_bit(Diagrams& diagrams, const Word& one, const Word& other) {
    Node result = kFalse;
    for (std::size_t i = 0; i < one.size(); ++i)
        result = either(diagrams, both(diagrams, one.at(i), other.at(i)), result);
    return result;
}

}  // namespace guard
