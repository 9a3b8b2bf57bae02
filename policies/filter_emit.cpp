#include "policies/filter_emit.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <unordered_map>

namespace guard::policies {
namespace {

using Node = Diagrams::Node;
using Code = std::uint16_t;

constexpr std::size_t kMostStretches = 1024;  // of one word: calls by number have half as many
constexpr std::uint32_t kReach = 250;  // of a conditional jump, which has 8 bits, with room for two detours
constexpr std::size_t kMost = 2 * BPF_MAXINSNS;  // instructions: beyond it, work stops

// Where each word of InputWord's order stands in seccomp_data.
constexpr auto kOffsets = [] {
    std::array<std::uint32_t, kInputWords> offsets{4, 0};
    for (std::uint32_t i = 0; i < 6; ++i) {
        offsets.at(2 + 2 * i) = 16 + 8 * i + 4;
        offsets.at(3 + 2 * i) = 16 + 8 * i;
    }
    offsets[14] = 12;
    offsets[15] = 8;
    return offsets;
}();

// From `first` up to the next stretch, the word leaves `rest`.
struct Stretch {
    std::uint32_t first;
    Node rest;
};

// Bits that are asked for one after the other, any other value of one leading to the same place.
struct Chain {
    std::uint32_t mask = 0, value = 0;
    Node equal = 0, other = 0;
};

// Writes the program from its end: a jump goes forward, to what is there already. A place is counted from
// the end, so that it stays what it is.
class Emitter {
public:
    explicit Emitter(Diagrams& diagrams) : diagrams_(diagrams) {}

    std::vector<sock_filter> program(Node function) {
        (void)place(function);
        std::ranges::reverse(code_);
        return std::move(code_);
    }

private:
    using Place = std::uint32_t;

    Place put(const sock_filter& op) {
        code_.push_back(op);
        return static_cast<Place>(code_.size() - 1);
    }
    [[nodiscard]] bool is_far(Place place) const { return code_.size() - place > kReach; }
    [[nodiscard]] std::uint8_t distance(Place to) const {
        return static_cast<std::uint8_t>(code_.size() - to - 1);
    }

    // A place within reach that goes on at `to`: a return is put there again, else a jump.
    Place near(Place to) {
        if (!is_far(to)) return to;
        if (BPF_CLASS(code_[to].code) == BPF_RET) return put(code_[to]);
        return put(BPF_STMT(BPF_JMP | BPF_JA, static_cast<std::uint32_t>(code_.size() - to - 1)));
    }

    Place branch(Code test, std::uint32_t constant, Place yes, Place no) {
        yes = near(yes);
        no = near(no);
        return put(
            BPF_JUMP(static_cast<Code>(BPF_JMP | BPF_K | test), constant, distance(yes), distance(no)));
    }

    // Has what is put next followed by `to`.
    void fall_through_to(Place to) {
        const auto between = static_cast<std::uint32_t>(code_.size() - to - 1);
        if (between != 0) (void)put(BPF_STMT(BPF_JMP | BPF_JA, between));
    }

    // Where a function is answered, nothing being loaded.
    Place place(Node of) {
        if (const auto known = places_.find(of); known != places_.end()) return again(known->second, of);
        if (code_.size() > kMost) return 0;
        const Place at =
            diagrams_.is_leaf(of) ? put(BPF_STMT(BPF_RET | BPF_K, diagrams_.answer(of))) : word(of);
        return places_[of] = at;
    }
    // A return that is out of reach is put once more, for all that follow.
    Place again(Place known, Node of) {
        return diagrams_.is_leaf(of) && is_far(known) ? places_[of] = near(known) : known;
    }

    // A word is loaded, then searched for the stretch it is in, or tested bit by bit: whichever is shorter.
    Place word(Node of) {
        const unsigned which = diagrams_.bit(of) / 32;
        const unsigned end = which * 32 + 32;
        Stretches stretches{end, std::min<std::size_t>(kMostStretches, cost(of, end) + 1), {}};
        add(stretches, of, 0, 32);
        if (stretches.all.size() <= stretches.most)
            (void)search(stretches.all, 0, stretches.all.size());
        else
            fall_through_to(bits(of, end));
        return put(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kOffsets.at(which)));
    }

    struct Stretches {
        unsigned end;
        std::size_t most;
        std::vector<Stretch> all;
    };
    void add(Stretches& to, Node of, std::uint32_t first, unsigned open) const {
        if (to.all.size() > to.most) return;
        if (diagrams_.bit(of) >= to.end) {
            if (to.all.empty() || to.all.back().rest != of) to.all.push_back({first, of});
            return;
        }
        const unsigned bit = to.end - open;
        add(to, diagrams_.zero(of, bit), first, open - 1);
        add(to, diagrams_.one(of, bit), first | 1U << (open - 1), open - 1);
    }

    // One number between two stretches that are alike.
    static bool is_point(const std::vector<Stretch>& all, std::size_t from, std::size_t end) {
        return end - from == 3 && all[from].rest == all[from + 2].rest &&
               all[from + 1].first + 1 == all[from + 2].first;
    }

    // Where the stretches before `end`, from `from` on, are told apart; the word is loaded, and in one of
    // them.
    Place search(const std::vector<Stretch>& all, std::size_t from, std::size_t end) {
        if (end - from == 1) return place(all[from].rest);
        if (is_point(all, from, end)) {
            const Place yes = place(all[from + 1].rest);
            return branch(BPF_JEQ, all[from + 1].first, yes, place(all[from].rest));
        }
        std::size_t middle = from + (end - from) / 2;
        if (end - from < 6 && is_point(all, from, std::min(from + 3, end))) middle = from + 3;
        if (end - from < 6 && end - from > 3 && is_point(all, end - 3, end)) middle = end - 3;
        const Place yes = search(all, middle, end);
        return branch(BPF_JGE, all[middle].first, yes, search(all, from, middle));
    }

    // Follows one place that bits lead away to, as far as it goes.
    [[nodiscard]] Chain chain_to(Node of, unsigned end, Node other) const {
        Chain chain{.equal = of, .other = other};
        while (diagrams_.bit(chain.equal) < end) {
            const unsigned bit = diagrams_.bit(chain.equal);
            const Node zero = diagrams_.zero(chain.equal, bit);
            const Node one = diagrams_.one(chain.equal, bit);
            if (zero != other && one != other) break;
            const std::uint32_t place = 1U << (31 - bit % 32);
            chain.mask |= place;
            chain.value |= zero == other ? place : 0;
            chain.equal = zero == other ? one : zero;
        }
        return chain;
    }
    [[nodiscard]] Chain chain_of(Node of, unsigned end) const {
        const unsigned bit = diagrams_.bit(of);
        const Chain by_zero = chain_to(of, end, diagrams_.zero(of, bit));
        const Chain by_one = chain_to(of, end, diagrams_.one(of, bit));
        return std::popcount(by_zero.mask) > std::popcount(by_one.mask) ? by_zero : by_one;
    }
    // A test that leaves the word as it is: all of the bits 0, or the only one 1.
    static bool is_kept(const Chain& chain) { return chain.value == 0 || std::has_single_bit(chain.mask); }

    // How many instructions tests of bits would take.
    std::size_t cost(Node of, unsigned end) {
        constexpr std::size_t kTooMuch = 1'000'000;
        if (diagrams_.bit(of) >= end) return 0;
        if (const auto known = costs_.find(of); known != costs_.end()) return known->second;
        const Chain chain = chain_of(of, end);
        std::size_t cost_here = is_kept(chain) ? 1 : 2;
        for (const Node next : {chain.equal, chain.other})
            cost_here += cost(next, end) + (is_kept(chain) || diagrams_.bit(next) >= end ? 0 : 1);
        return costs_[of] = std::min(cost_here, kTooMuch);
    }

    // Where a function is answered by tests of bits, its word being loaded.
    Place bits(Node of, unsigned end) {
        if (diagrams_.bit(of) >= end) return place(of);
        if (const auto known = loaded_.find(of); known != loaded_.end()) return known->second;
        if (code_.size() > kMost) return 0;
        const Chain chain = chain_of(of, end);
        return loaded_[of] = is_kept(chain) ? test_bits(chain, end) : test_value(chain);
    }
    Place test_bits(const Chain& chain, unsigned end) {
        const Place equal = bits(chain.equal, end);
        const Place other = bits(chain.other, end);
        return chain.value == 0 ? branch(BPF_JSET, chain.mask, other, equal)
                                : branch(BPF_JSET, chain.mask, equal, other);
    }
    // The word is lost to the mask: whoever asks for more of it loads it anew.
    Place test_value(const Chain& chain) {
        const Place equal = place(chain.equal);
        (void)branch(BPF_JEQ, chain.value, equal, place(chain.other));
        return put(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, chain.mask));
    }

    Diagrams& diagrams_;
    std::vector<sock_filter> code_;           // from the end
    std::unordered_map<Node, Place> places_;  // with nothing loaded
    std::unordered_map<Node, Place> loaded_;  // with the word loaded that is asked for
    std::unordered_map<Node, std::size_t> costs_;
};

}  // namespace

Result<std::vector<sock_filter>> emit_filter(Diagrams& diagrams, Node function) {
    auto program = Emitter(diagrams).program(function);
    if (program.size() <= BPF_MAXINSNS) return program;
    return fail("compile the filter",
                fmt::format("it comes to {} instructions or more, and the kernel takes {}", program.size(),
                            BPF_MAXINSNS),
                "use fewer conditions, or broader ones");
}

}  // namespace guard::policies
