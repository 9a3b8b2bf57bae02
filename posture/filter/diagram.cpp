#include "posture/filter/diagram.h"

#include <fmt/format.h>
#include <linux/audit.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace guard {
namespace {

constexpr std::uint32_t kMostErrno = 4095;  // MAX_ERRNO of the kernel

// seccomp_data as 32-bit words, each at the place in InputWord's order. Little endian, as x86 is.
constexpr std::array<std::uint8_t, kInputWords> kPlaces = {1, 0, 15, 14, 3,  2,  5,  4,
                                                           7, 6, 9,  8,  11, 10, 13, 12};
static_assert(sizeof(seccomp_data) == kInputWords * 4);

bool is_set(const std::array<std::uint32_t, kInputWords>& words, unsigned bit) {
    return (words[bit / 32] >> (31 - bit % 32) & 1U) != 0;
}

std::int32_t rank(std::uint32_t answer) {
    return static_cast<std::int32_t>(answer & SECCOMP_RET_ACTION_FULL);
}

std::size_t mixed(std::uint32_t first, std::uint32_t second, std::uint32_t third) {
    std::uint64_t hash = (static_cast<std::uint64_t>(first) << 32U | second) * 0x9e37'79b9'7f4a'7c15ULL;
    hash = (hash ^ hash >> 29U ^ third) * 0xbf58'476d'1ce4'e5b9ULL;
    return hash ^ hash >> 32U;
}

}  // namespace

std::array<std::uint32_t, kInputWords> input_words(const seccomp_data& data) {
    std::array<std::uint32_t, kInputWords> raw{};
    std::memcpy(raw.data(), &data, sizeof data);
    std::array<std::uint32_t, kInputWords> words{};
    for (unsigned i = 0; i < kInputWords; ++i) words.at(kPlaces.at(i)) = raw.at(i);
    return words;
}

seccomp_data input_of(const std::array<std::uint32_t, kInputWords>& words) {
    std::array<std::uint32_t, kInputWords> raw{};
    for (unsigned i = 0; i < kInputWords; ++i) raw.at(i) = words.at(kPlaces.at(i));
    seccomp_data data{};
    std::memcpy(&data, raw.data(), sizeof data);
    return data;
}

unsigned input_word_at(std::uint32_t offset) { return kPlaces.at(offset / 4); }

std::uint32_t settled_answer(std::uint32_t answer) {
    const std::uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
    const std::uint32_t data = answer & SECCOMP_RET_DATA;
    switch (action) {
        case SECCOMP_RET_ERRNO: return action | std::min(data, kMostErrno);
        case SECCOMP_RET_TRAP:
        case SECCOMP_RET_TRACE: return answer;
        case SECCOMP_RET_KILL_THREAD:
        case SECCOMP_RET_USER_NOTIF:
        case SECCOMP_RET_LOG:
        case SECCOMP_RET_ALLOW: return action;
        default: return SECCOMP_RET_KILL_PROCESS;
    }
}

Diagrams::Diagrams(const Limits& limits) : limits_(limits), memory_(1U << 8U) {
    (void)leaf(0);
    (void)leaf(1);
    (void)pairs_.number({});
}

Diagrams::Node Diagrams::made(const Row& row) {
    if (nodes_.size() >= limits_.nodes) exhausted_ = true;
    return exhausted_ ? kFalse : nodes_.number(row);
}

bool Diagrams::spent() {
    if (++steps_ > limits_.steps) exhausted_ = true;
    return exhausted_;
}

// As large as the arena, so that what is still needed is seldom overwritten.
Diagrams::Remembered& Diagrams::remembered(std::uint32_t first, std::uint32_t second, std::uint32_t third) {
    if (nodes_.size() > memory_.size() * 2) {
        const auto before = std::exchange(memory_, std::vector<Remembered>(memory_.size() * 4));
        for (const auto& entry : before)
            memory_[mixed(entry.first, entry.second, entry.third) & (memory_.size() - 1)] = entry;
    }
    return memory_[mixed(first, second, third) & (memory_.size() - 1)];
}

Diagrams::Node Diagrams::choose(Node condition, Node yes, Node no) {
    if (condition == kTrue || yes == no) return yes;
    if (condition == kFalse) return no;
    if (yes == kTrue && no == kFalse) return condition;
    const Row asked = nodes_[condition];
    const unsigned top = std::min({asked.bit, bit(yes), bit(no)});
    // Most conditions are "these bits are this number": one way out of each bit is decided. Going on with the
    // other one alone is no work to remember.
    if (top == asked.bit && std::min(asked.zero, asked.one) <= kTrue) {
        const Node low = choose(asked.zero, zero(yes, top), zero(no, top));
        return node(top, low, choose(asked.one, one(yes, top), one(no, top)));
    }
    const auto& known = remembered(condition, yes, no);
    if (known.first == condition && known.second == yes && known.third == no) return known.result;
    if (spent()) return kFalse;
    const Node low = choose(zero(condition, top), zero(yes, top), zero(no, top));
    const Node high = choose(one(condition, top), one(yes, top), one(no, top));
    const Node result = node(top, low, high);
    remembered(condition, yes, no) = {condition, yes, no, result};
    return result;
}

std::uint32_t Diagrams::at_leaves(Operation operation, std::uint32_t one, std::uint32_t other) {
    switch (operation) {
        case Operation::stack: return rank(other) < rank(one) ? other : one;
        case Operation::same: return one == other ? 1 : 0;
        case Operation::pair: return one == other ? kSamePair : pairs_.number({one, other});
        default: return settled_answer(one);
    }
}

Diagrams::Node Diagrams::apply(Operation operation, Node first, Node second) {
    if (operation == Operation::stack && first == second) return first;
    if (is_leaf(first) && is_leaf(second)) return leaf(at_leaves(operation, answer(first), answer(second)));
    const std::uint32_t key = static_cast<std::uint32_t>(operation);
    const auto& known = remembered(key, first, second);
    if (known.first == key && known.second == first && known.third == second) return known.result;
    if (spent()) return kFalse;
    const unsigned top = std::min(bit(first), bit(second));
    const Node low = apply(operation, zero(first, top), zero(second, top));
    const Node high = apply(operation, one(first, top), one(second, top));
    const Node result = node(top, low, high);
    remembered(key, first, second) = {key, first, second, result};
    return result;
}

std::uint32_t Diagrams::answer(Node of, const seccomp_data& data) const {
    const auto words = input_words(data);
    while (!is_leaf(of)) of = is_set(words, bit(of)) ? nodes_[of].one : nodes_[of].zero;
    return answer(of);
}

Diagrams::Node Diagrams::fixed(Node of, InputWord word, std::uint32_t value) const {
    const auto place = static_cast<unsigned>(word);
    while (bit(of) / 32 == place)
        of = (value >> (31 - bit(of) % 32) & 1U) != 0 ? nodes_[of].one : nodes_[of].zero;
    return of;
}

std::optional<seccomp_data> Diagrams::differing_input(Node first, Node second) const {
    if (first == second) return std::nullopt;
    std::array<std::uint32_t, kInputWords> words{};
    const Node own_first = fixed(first, InputWord::arch, AUDIT_ARCH_X86_64);
    const Node own_second = fixed(second, InputWord::arch, AUDIT_ARCH_X86_64);
    if (own_first != own_second) {
        words[0] = AUDIT_ARCH_X86_64;
        first = own_first;
        second = own_second;
    }
    // Functions that are not the same node differ somewhere: so does one side or the other.
    while (!is_leaf(first) || !is_leaf(second)) {
        const unsigned top = std::min(bit(first), bit(second));
        const bool high = zero(first, top) == zero(second, top);
        if (high) words.at(top / 32) |= 1U << (31 - top % 32);
        first = high ? one(first, top) : zero(first, top);
        second = high ? one(second, top) : zero(second, top);
    }
    return input_of(words);
}

Result<void> Diagrams::check() const {
    if (!exhausted_) return {};
    return fail(
        "analyse a system call filter",
        fmt::format("not analysed: it needs more than {} nodes or {} steps", limits_.nodes, limits_.steps),
        "compare fewer arguments with each other, and multiply and divide less");
}

}  // namespace guard
