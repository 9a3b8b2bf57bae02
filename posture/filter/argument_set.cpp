#include "posture/filter/argument_set.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace guard {
namespace {

using Node = Diagrams::Node;
constexpr Node kFalse = Diagrams::kFalse;
constexpr Node kTrue = Diagrams::kTrue;

constexpr std::size_t kMostParts = 64;  // ranges, values or cubes of one test: more is no longer read
constexpr std::size_t kMostCases = 64;
constexpr unsigned kFirstBit = static_cast<unsigned>(InputWord::argument0) * 32;
constexpr unsigned kAddressBit = static_cast<unsigned>(InputWord::instruction_pointer) * 32;

std::vector<Node> reachable(const Diagrams& diagrams, Node from, unsigned end) {
    std::vector<Node> nodes = {from};
    std::unordered_set<Node> seen = {from};
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const unsigned bit = diagrams.bit(nodes[i]);
        if (bit >= end) continue;
        for (const Node next : {diagrams.zero(nodes[i], bit), diagrams.one(nodes[i], bit)})
            if (seen.insert(next).second) nodes.push_back(next);
    }
    return nodes;
}

// One argument's values, as a condition over the 64 bits from `first_` on.
class Values {
public:
    Values(Diagrams& diagrams, unsigned argument, Node condition)
        : diagrams_(diagrams), first_(kFirstBit + argument * 64), condition_(condition) {
        for (const Node node : reachable(diagrams, condition, first_ + 64))
            if (diagrams.bit(node) < first_ + 64) bits_ |= place(diagrams.bit(node));
    }

    ArgumentTest shortest() {
        ArgumentTest best;
        std::size_t least = ~0ULL;
        for (const bool outside : {false, true}) {
            const Node of = outside ? diagrams_.choose(condition_, kFalse, kTrue) : condition_;
            for (const auto form : {&Values::ranges, &Values::values, &Values::cubes}) {
                auto test = (this->*form)(of);
                if (!test) continue;
                test->outside = outside;
                if (const auto now = cost(*test); now < least) {
                    least = now;
                    best = std::move(*test);
                }
            }
        }
        best.argument = (first_ - kFirstBit) / 64;
        best.bits = bits_;
        best.width = width();
        return best;
    }

private:
    [[nodiscard]] unsigned width() const { return bits_ >> 16U == 0 ? 16 : bits_ >> 32U == 0 ? 32 : 64; }
    [[nodiscard]] std::uint64_t place(unsigned bit) const { return 1ULL << (63 - (bit - first_)); }

    static std::size_t cost(const ArgumentTest& test) {
        std::size_t cost = test.outside ? 1 : 0;
        for (const auto& range : test.ranges) cost += range.low == range.high ? 2 : 3;
        for (const auto& masked : test.masked) cost += 2 + 2 * masked.values.size();
        return cost;
    }

    std::optional<ArgumentTest> ranges(Node of) {
        ArgumentTest test;
        if (!add_ranges(of, 0, width(), test.ranges)) return std::nullopt;
        return test;
    }

    // The values that begin with `low`, `open` bits of them not yet known.
    bool add_ranges(Node of, std::uint64_t low, unsigned open, std::vector<Range>& all) {
        if (of == kFalse) return true;
        if (of == kTrue) {
            const std::uint64_t high = open == 64 ? ~0ULL : low | ((1ULL << open) - 1);
            if (!all.empty() && all.back().high + 1 == low)
                all.back().high = high;
            else
                all.push_back({low, high});
            return all.size() <= kMostParts;
        }
        const unsigned bit = first_ + 64 - open;
        return add_ranges(diagrams_.zero(of, bit), low, open - 1, all) &&
               add_ranges(diagrams_.one(of, bit), low | 1ULL << (open - 1), open - 1, all);
    }

    std::optional<ArgumentTest> values(Node of) {
        ArgumentTest test;
        test.masked.push_back({bits_, {}});
        if (!add_values(of, 0, bits_, test.masked.front().values)) return std::nullopt;
        return test;
    }

    // The values of the bits that are looked at; `open` are those not yet known.
    bool add_values(Node of, std::uint64_t value, std::uint64_t open, std::vector<std::uint64_t>& all) {
        if (of == kFalse) return true;
        if (open == 0) {
            all.push_back(value);
            return all.size() <= kMostParts;
        }
        const std::uint64_t next = std::bit_floor(open);
        const unsigned bit = first_ + static_cast<unsigned>(std::countl_zero(next));
        return add_values(diagrams_.zero(of, bit), value, open ^ next, all) &&
               add_values(diagrams_.one(of, bit), value | next, open ^ next, all);
    }

    std::optional<ArgumentTest> cubes(Node of) {
        std::vector<Masked> all;
        if (cover(of, of, {0, {0}}, all) == kFalse || all.size() > kMostParts) return std::nullopt;
        ArgumentTest test;
        for (auto& cube : all) {
            const auto same = std::ranges::find(test.masked, cube.mask, &Masked::mask);
            if (same == test.masked.end())
                test.masked.push_back(std::move(cube));
            else
                same->values.push_back(cube.values.front());
        }
        for (auto& masked : test.masked) std::ranges::sort(masked.values);
        return test;
    }

    // Cubes that cover at least `least` and at most `most`, none of which can be left out; and what they
    // cover together. Minato and Morreale's irredundant sum of products.
    Node cover(Node least, Node most, const Masked& within, std::vector<Masked>& all) {
        if (least == kFalse || all.size() > kMostParts) return kFalse;
        if (most == kTrue) {
            all.push_back(within);
            return kTrue;
        }
        const unsigned bit = std::min(diagrams_.bit(least), diagrams_.bit(most));
        const auto half = [&](Node needed, Node other, Node allowed, std::uint64_t set) {
            const Masked narrower{within.mask | place(bit), {within.values.front() | set}};
            return cover(less(needed, other), allowed, narrower, all);
        };
        const Node least_0 = diagrams_.zero(least, bit);
        const Node least_1 = diagrams_.one(least, bit);
        const Node most_0 = diagrams_.zero(most, bit);
        const Node most_1 = diagrams_.one(most, bit);
        const Node zero = half(least_0, most_1, most_0, 0);
        const Node one = half(least_1, most_0, most_1, place(bit));
        const Node rest = diagrams_.choose(less(least_0, zero), kTrue, less(least_1, one));
        const Node either = cover(rest, diagrams_.choose(most_0, most_1, kFalse), within, all);
        return diagrams_.choose(either, kTrue, diagrams_.node(bit, zero, one));
    }

    Node less(Node of, Node take) { return diagrams_.choose(take, kFalse, of); }

    Diagrams& diagrams_;
    unsigned first_;
    Node condition_;
    std::uint64_t bits_ = 0;
};

// Goes through a condition argument by argument: for each way that the first one can leave the rest, the
// values that leave it so.
class Cases {
public:
    Cases(Diagrams& diagrams, ArgumentSet& set) : diagrams_(diagrams), set_(set) {}

    void add(Node condition, const ArgumentCase& so_far) {
        if (condition == kFalse) return;
        if (set_.cases.size() >= kMostCases || diagrams_.exhausted()) {
            set_.complete = false;
            return;
        }
        if (condition == kTrue) return set_.cases.push_back(so_far);
        const unsigned argument = (diagrams_.bit(condition) - kFirstBit) / 64;
        const unsigned end = kFirstBit + argument * 64 + 64;
        auto rests = reachable(diagrams_, condition, end);
        std::erase_if(rests, [this, end](Node node) { return diagrams_.bit(node) < end; });
        const Node common = common_of(rests);
        add(common, so_far);
        for (const Node rest : rests) {
            if (rest == common || rest == kFalse) continue;
            auto narrower = so_far;
            narrower.push_back(Values(diagrams_, argument, leaving(condition, rest, end)).shortest());
            if (narrower.back().ranges.empty() && narrower.back().masked.empty())
                set_.complete = false;  // no form is short enough
            else
                add(rest, narrower);
        }
    }

private:
    // The rest that holds whatever the argument is, for it is inside every other; none: never.
    Node common_of(const std::vector<Node>& rests) {
        for (const Node rest : rests)
            if (std::ranges::all_of(rests, [this, rest](Node other) {
                    return diagrams_.choose(rest, other, kTrue) == kTrue;
                }))
                return rest;
        return kFalse;
    }

    // The condition that the argument leaves exactly `rest`.
    Node leaving(Node condition, Node rest, unsigned end) {
        std::unordered_map<Node, Node> known;
        return leaving(condition, rest, end, known);
    }
    Node leaving(Node condition, Node rest, unsigned end, std::unordered_map<Node, Node>& known) {
        const unsigned bit = diagrams_.bit(condition);
        if (bit >= end) return condition == rest ? kTrue : kFalse;
        if (const auto found = known.find(condition); found != known.end()) return found->second;
        const Node zero = leaving(diagrams_.zero(condition, bit), rest, end, known);
        const Node one = leaving(diagrams_.one(condition, bit), rest, end, known);
        return known[condition] = diagrams_.node(bit, zero, one);
    }

    Diagrams& diagrams_;
    ArgumentSet& set_;
};

// What holds for some address of the call.
Node at_some_address(Diagrams& diagrams, Node condition, std::unordered_map<Node, Node>& known) {
    const unsigned bit = diagrams.bit(condition);
    if (bit == kInputBits) return condition;
    if (bit >= kAddressBit) return kTrue;
    if (const auto found = known.find(condition); found != known.end()) return found->second;
    const Node zero = at_some_address(diagrams, diagrams.zero(condition, bit), known);
    const Node one = at_some_address(diagrams, diagrams.one(condition, bit), known);
    return known[condition] = diagrams.node(bit, zero, one);
}

}  // namespace

ArgumentSet arguments_where(Diagrams& diagrams, Node condition) {
    std::unordered_map<Node, Node> known;
    const Node arguments = at_some_address(diagrams, condition, known);
    ArgumentSet set;
    set.by_address = arguments != condition;
    Cases(diagrams, set).add(arguments, {});
    set.complete = set.complete && !diagrams.exhausted();
    return set;
}

}  // namespace guard
