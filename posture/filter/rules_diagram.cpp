#include "posture/filter/rules_diagram.h"

#include <linux/audit.h>

#include <cstdint>
#include <vector>

#include "posture/filter/declared.h"
#include "posture/syscall_abi.h"

namespace guard {
namespace {

using Node = Diagrams::Node;

// One word of the input cut into stretches: from `first` up to the next one's, the function is `node`.
struct Stretch {
    std::uint32_t first;
    Node node;
};

void add(std::vector<Stretch>& stretches, std::uint32_t first, Node node) {
    if (stretches.empty() || stretches.back().node != node) stretches.push_back({first, node});
}

// The diagram of a word whose high bits are those of `first`, `bits` of them being open; `at` is the stretch
// that `first` is in.
class WordSplit {
public:
    WordSplit(Diagrams& diagrams, InputWord word, const std::vector<Stretch>& stretches)
        : diagrams_(diagrams), end_(static_cast<unsigned>(word) * 32 + 32), stretches_(stretches) {}

    Node all() { return part(0, 32, 0); }

private:
    Node part(std::uint32_t first, unsigned bits, std::size_t at) {
        const std::uint64_t end = static_cast<std::uint64_t>(first) + (1ULL << bits);
        while (at + 1 < stretches_.size() && stretches_[at + 1].first <= first) ++at;
        if (at + 1 == stretches_.size() || stretches_[at + 1].first >= end) return stretches_[at].node;
        const Node zero = part(first, bits - 1, at);
        const Node one = part(first + (1U << (bits - 1)), bits - 1, at);
        return diagrams_.node(end_ - bits, zero, one);
    }

    Diagrams& diagrams_;
    unsigned end_;
    const std::vector<Stretch>& stretches_;
};

// Every bit asked for, the last first.
Node condition_of(Diagrams& diagrams, const Cube& cube, std::uint64_t argument_bits) {
    constexpr auto first = static_cast<unsigned>(InputWord::argument0) * 32;
    Node node = Diagrams::kTrue;
    for (unsigned argument = 6; argument-- > 0;) {
        // A caller that can't set the bits above has them 0.
        if ((cube.value[argument] & cube.mask[argument] & ~argument_bits) != 0) return Diagrams::kFalse;
        const std::uint64_t mask = cube.mask[argument] & argument_bits;
        for (unsigned bit = 0; bit < 64; ++bit) {
            if ((mask >> bit & 1U) == 0) continue;
            const bool set = (cube.value[argument] >> bit & 1U) != 0;
            node = diagrams.node(first + argument * 64 + 63 - bit, set ? Diagrams::kFalse : node,
                                 set ? node : Diagrams::kFalse);
        }
    }
    return node;
}

Node call_diagram(Diagrams& diagrams, const FilterRules& rules, const SyscallRow* call, Abi abi) {
    if (call == nullptr) return diagrams.leaf(action_of(rules.on_unknown));
    const Node denied = diagrams.leaf(denied_answer(rules, call->name));
    const auto rule = rules.calls.find(std::string(call->name));
    if (rule == rules.calls.end()) return denied;
    const Node condition = condition_of(diagrams, rule->second.when, argument_bits(abi));
    return diagrams.choose(condition, diagrams.leaf(SECCOMP_RET_ALLOW), denied);
}

void add_calls(Diagrams& diagrams, const FilterRules& rules, Abi abi, std::uint32_t from,
               std::vector<Stretch>& stretches) {
    for (std::uint32_t number = 0; number < kEndOfNumbers; ++number)
        add(stretches, from + number, call_diagram(diagrams, rules, find_syscall(abi, from + number), abi));
    add(stretches, from + kEndOfNumbers, diagrams.leaf(action_of(rules.on_unknown)));
}

Node killed(Diagrams& diagrams) { return diagrams.leaf(SECCOMP_RET_KILL_PROCESS); }

// x86_64's own numbers, and x32's above them.
Node native_diagram(Diagrams& diagrams, const FilterRules& rules) {
    std::vector<Stretch> stretches;
    add_calls(diagrams, rules, Abi::x86_64, 0, stretches);
    if (rules.abis.contains("x32"))
        add_calls(diagrams, rules, Abi::x32, kX32Bit, stretches);
    else
        add(stretches, kX32Bit, killed(diagrams));
    add(stretches, ~0U, diagrams.leaf(action_of(rules.on_unknown)));
    return WordSplit(diagrams, InputWord::number, stretches).all();
}

Node i386_diagram(Diagrams& diagrams, const FilterRules& rules) {
    if (!rules.abis.contains("i386")) return killed(diagrams);
    std::vector<Stretch> stretches;
    add_calls(diagrams, rules, Abi::i386, 0, stretches);
    return WordSplit(diagrams, InputWord::number, stretches).all();
}

}  // namespace

Node condition_of(Diagrams& diagrams, const std::vector<Cube>& cubes, std::uint64_t argument_bits) {
    Node any = Diagrams::kFalse;
    for (const auto& cube : cubes)
        any = diagrams.choose(condition_of(diagrams, cube, argument_bits), Diagrams::kTrue, any);
    return any;
}

Result<Node> diagram_of(Diagrams& diagrams, const FilterRules& rules) {
    const Node native = native_diagram(diagrams, rules);
    const Node i386 = i386_diagram(diagrams, rules);
    const std::vector<Stretch> stretches = {{0, killed(diagrams)},
                                            {AUDIT_ARCH_I386, i386},
                                            {AUDIT_ARCH_I386 + 1, killed(diagrams)},
                                            {AUDIT_ARCH_X86_64, native},
                                            {AUDIT_ARCH_X86_64 + 1, killed(diagrams)}};
    const Node all = WordSplit(diagrams, InputWord::arch, stretches).all();
    CHECK(diagrams.check());
    return all;
}

}  // namespace guard
