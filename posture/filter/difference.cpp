#include "posture/filter/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace guard {
namespace {

using Node = Diagrams::Node;

constexpr std::size_t kMostStretches = 20'000;

// Values of one word of the input for which the rest of a function is the same node.
struct Stretch {
    NumberRange range;
    Node rest;
};

// A function cut into the stretches of one word, the first it asks for.
class Stretches {
public:
    Stretches(const Diagrams& diagrams, InputWord word)
        : diagrams_(diagrams), end_(static_cast<unsigned>(word) * 32 + 32) {}

    Result<std::vector<Stretch>> of(Node function) {
        add(function, 0, 32);
        if (all_.size() <= kMostStretches) return std::move(all_);
        return fail("compare system call filters",
                    fmt::format("not analysed: calls are told apart in more than {} stretches of numbers",
                                kMostStretches),
                    "test call numbers as a whole, not bit by bit");
    }

private:
    void add(Node node, std::uint32_t first, unsigned open) {
        if (all_.size() > kMostStretches) return;
        if (diagrams_.bit(node) >= end_) {
            const std::uint32_t last = open == 32 ? ~0U : first | ((1U << open) - 1);
            if (!all_.empty() && all_.back().rest == node)
                all_.back().range.last = last;
            else
                all_.push_back({{first, last}, node});
            return;
        }
        const unsigned bit = end_ - open;
        add(diagrams_.zero(node, bit), first, open - 1);
        add(diagrams_.one(node, bit), first | 1U << (open - 1), open - 1);
    }

    const Diagrams& diagrams_;
    unsigned end_;
    std::vector<Stretch> all_;
};

// The numbers of an ABI. Both of x86_64's words mean it but for x32's numbers in between.
std::vector<NumberRange> numbers_of(const AbiRow* abi) {
    if (abi == nullptr || abi->abi == Abi::i386) return {{0, ~0U}};
    if (abi->abi == Abi::x32) return {{kX32Bit, ~0U - 1}};
    return {{0, kX32Bit - 1}, {~0U, ~0U}};
}

// What one call, or the unknown numbers with one fate, are answered before and after.
struct Subject {
    const SyscallRow* call = nullptr;
    std::vector<NumberRange> numbers;
    Node pairs = 0;
};

class Subjects {
public:
    explicit Subjects(const AbiRow* abi) : abi_(abi) {}

    void add(const Stretch& stretch) {
        for (const auto& own : numbers_of(abi_)) {
            const NumberRange range{std::max(own.first, stretch.range.first),
                                    std::min(own.last, stretch.range.last)};
            if (range.first <= range.last) add(range, own.first, stretch.rest);
        }
    }
    // Calls by number, unknown numbers behind them.
    std::vector<Subject> all() && {
        for (auto& [pairs, numbers] : unknown_) known_.push_back({nullptr, std::move(numbers), pairs});
        return std::move(known_);
    }

private:
    void add(const NumberRange& range, std::uint32_t base, Node pairs) {
        std::uint64_t next = range.first;
        for (; next <= range.last && next - base < kEndOfNumbers; ++next) {
            const auto number = static_cast<std::uint32_t>(next);
            if (const auto* call = abi_ == nullptr ? nullptr : find_syscall(abi_->abi, number))
                known_.push_back({call, {{number, number}}, pairs});
            else
                add_unknown({number, number}, pairs);
        }
        if (next <= range.last) add_unknown({static_cast<std::uint32_t>(next), range.last}, pairs);
    }

    void add_unknown(const NumberRange& range, Node pairs) {
        auto& numbers = unknown_[pairs];
        if (!numbers.empty() && numbers.back().last + 1 == range.first)
            numbers.back().last = range.last;
        else
            numbers.push_back(range);
    }

    const AbiRow* abi_;
    std::vector<Subject> known_;
    std::map<Node, std::vector<NumberRange>> unknown_;
};

std::vector<std::uint32_t> leaves_of(const Diagrams& diagrams, Node from) {
    std::vector<Node> open = {from};
    std::unordered_set<Node> seen = {from};
    std::vector<std::uint32_t> leaves;
    while (!open.empty()) {
        const Node node = open.back();
        open.pop_back();
        if (diagrams.is_leaf(node)) {
            leaves.push_back(diagrams.answer(node));
            continue;
        }
        for (const Node next :
             {diagrams.zero(node, diagrams.bit(node)), diagrams.one(node, diagrams.bit(node))})
            if (seen.insert(next).second) open.push_back(next);
    }
    std::ranges::sort(leaves);
    return leaves;
}

bool is_own(std::uint32_t arch) { return std::ranges::find(kAbis, arch, &AbiRow::arch) != kAbis.end(); }

class Comparison {
public:
    Comparison(Diagrams& diagrams, Node before, Node after)
        : diagrams_(diagrams), paired_(diagrams.paired(before, after)) {}

    Result<std::vector<FilterChange>> changes() {
        CHECK(diagrams_.check());
        for (const auto& abi : kAbis)
            CHECK(compare(&abi, abi.arch, diagrams_.fixed(paired_, InputWord::arch, abi.arch)));
        CHECK(compare_foreign());
        CHECK(diagrams_.check());
        return std::move(changes_);
    }

private:
    // Other architectures are one: all of them that are answered alike.
    Result<void> compare_foreign() {
        std::unordered_set<Node> seen;
        for (const auto& [range, rest] : TRY(Stretches(diagrams_, InputWord::arch).of(paired_))) {
            std::uint32_t arch = range.first;
            while (arch < range.last && is_own(arch)) ++arch;
            if (is_own(arch) || is_same(rest) || !seen.insert(rest).second) continue;
            CHECK(compare(nullptr, arch, rest));
        }
        return {};
    }

    Result<void> compare(const AbiRow* abi, std::uint32_t arch, Node pairs) {
        if (is_same(pairs)) return {};
        Subjects subjects(abi);
        for (const auto& stretch : TRY(Stretches(diagrams_, InputWord::number).of(pairs)))
            if (!is_same(stretch.rest)) subjects.add(stretch);
        for (const auto& subject : std::move(subjects).all()) add(abi, arch, subject);
        return {};
    }

    [[nodiscard]] bool is_same(Node pairs) const {
        return diagrams_.is_leaf(pairs) && diagrams_.answer(pairs) == Diagrams::kSamePair;
    }

    // One way in which an answer changes, for all that share it.
    struct Turn {
        Diagrams::Pair answers;
        ArgumentSet arguments;
        seccomp_data witness;
    };

    const std::vector<Turn>& turns_of(Node pairs) {
        const auto [entry, is_new] = turns_.try_emplace(pairs);
        if (!is_new) return entry->second;
        for (const auto number : leaves_of(diagrams_, pairs)) {
            if (number == Diagrams::kSamePair) continue;
            const Node condition = diagrams_.where(pairs, number);
            const auto input = diagrams_.differing_input(condition, Diagrams::kFalse);
            if (diagrams_.exhausted() || !input) break;
            entry->second.push_back({diagrams_.pair(number), arguments_where(diagrams_, condition), *input});
        }
        return entry->second;
    }

    void add(const AbiRow* abi, std::uint32_t arch, const Subject& subject) {
        for (const auto& [answers, arguments, input] : turns_of(subject.pairs)) {
            auto witness = input;
            witness.arch = arch;
            witness.nr = static_cast<int>(subject.numbers.front().first);
            changes_.push_back({.abi = abi,
                                .call = subject.call,
                                .numbers = subject.numbers,
                                .before = answers.one,
                                .after = answers.other,
                                .arguments = arguments,
                                .witness = witness,
                                .effect = effect_of(answers.one, answers.other),
                                .looser = is_more_permissive(answers.one, answers.other)});
        }
    }

    Diagrams& diagrams_;
    Node paired_;
    std::unordered_map<Node, std::vector<Turn>> turns_;
    std::vector<FilterChange> changes_;
};

enum class Access : std::uint8_t { refused, asked, allowed };
Access access_of(std::uint32_t answer) {
    switch (answer & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW:
        case SECCOMP_RET_LOG: return Access::allowed;
        case SECCOMP_RET_USER_NOTIF:
        case SECCOMP_RET_TRACE: return Access::asked;
        default: return Access::refused;
    }
}

}  // namespace

Effect effect_of(std::uint32_t before, std::uint32_t after) {
    const bool was = access_of(before) != Access::refused;
    const bool is = access_of(after) != Access::refused;
    if (was && is) return Effect::changed_supervision;
    if (!was && !is) return Effect::changed_failure;
    return is ? Effect::new_access : Effect::lost_access;
}

bool is_more_permissive(std::uint32_t before, std::uint32_t after) {
    return access_of(before) < access_of(after);
}

Result<std::vector<FilterChange>> difference(Diagrams& diagrams, Node before, Node after) {
    if (before == after) return std::vector<FilterChange>{};
    return Comparison(diagrams, before, after).changes();
}

Result<std::optional<seccomp_data>> new_access(Diagrams& diagrams, Node before, Node after) {
    if (before == after) return std::nullopt;
    const Node pairs = diagrams.paired(before, after);
    Node looser = Diagrams::kFalse;
    for (const auto number : leaves_of(diagrams, pairs)) {
        const auto pair = diagrams.pair(number);
        if (is_more_permissive(pair.one, pair.other))
            looser = diagrams.choose(diagrams.where(pairs, number), Diagrams::kTrue, looser);
    }
    CHECK(diagrams.check());
    return diagrams.differing_input(looser, Diagrams::kFalse);
}

}  // namespace guard
