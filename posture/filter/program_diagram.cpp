#include "posture/filter/program_diagram.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "posture/filter/accepted.h"
#include "posture/filter/interned.h"
#include "posture/filter/word.h"

namespace guard {
namespace {

using Node = Diagrams::Node;

constexpr std::size_t kMostStates = 200'000;  // and values: some 30 MB
constexpr std::uint32_t kNothing = 0;         // the number of the word 0

using Memory = std::array<std::uint32_t, BPF_MEMWORDS>;  // numbers of words

// Where the machine stands: registers and memory are numbers of what is in them.
struct State {
    std::uint32_t next = 0, a = kNothing, x = kNothing, memory = 0;
    bool operator==(const State&) const = default;
};

// What becomes of a state: an answer, or two further states under a condition.
struct Fate {
    Node answer = 0, condition = 0;
    std::uint32_t yes = 0, no = 0;
    bool known = false, forks = false;
};

// Which registers and words of memory an instruction or one behind it still reads. What is not read does not
// tell two states apart.
struct Live {
    bool a = false, x = false;
    std::uint32_t memory = 0;
};

Live operator|(const Live& one, const Live& other) {
    return {one.a || other.a, one.x || other.x, one.memory | other.memory};
}

bool reads_x(const sock_filter& op) {
    const auto type = BPF_CLASS(op.code);
    if (type == BPF_STX || op.code == (BPF_MISC | BPF_TXA)) return true;
    return (type == BPF_ALU || type == BPF_JMP) && BPF_SRC(op.code) == BPF_X;
}

bool reads_a(const sock_filter& op) {
    const auto type = BPF_CLASS(op.code);
    return type == BPF_ST || type == BPF_ALU || (type == BPF_JMP && BPF_OP(op.code) != BPF_JA) ||
           op.code == (BPF_RET | BPF_A) || op.code == (BPF_MISC | BPF_TAX);
}

Live before(const sock_filter& op, Live after) {
    const auto type = BPF_CLASS(op.code);
    if (type == BPF_LD || op.code == (BPF_MISC | BPF_TXA)) after.a = false;
    if (type == BPF_LDX || op.code == (BPF_MISC | BPF_TAX)) after.x = false;
    if (type == BPF_ST || type == BPF_STX) after.memory &= ~(1U << op.k);
    if ((type == BPF_LD || type == BPF_LDX) && BPF_MODE(op.code) == BPF_MEM) after.memory |= 1U << op.k;
    after.a = after.a || reads_a(op);
    after.x = after.x || reads_x(op);
    return after;
}

// Jumps go forward only: one pass from the end.
std::vector<Live> live_in(std::span<const sock_filter> program) {
    std::vector<Live> live(program.size() + 1);
    for (std::size_t at = program.size(); at-- > 0;) {
        const auto& op = program[at];
        Live after;
        if (BPF_CLASS(op.code) == BPF_JMP && BPF_OP(op.code) == BPF_JA)
            after = live[at + 1 + op.k];
        else if (BPF_CLASS(op.code) == BPF_JMP)
            after = live[at + 1 + op.jt] | live[at + 1 + op.jf];
        else if (BPF_CLASS(op.code) != BPF_RET)
            after = live[at + 1];
        live[at] = before(op, after);
    }
    return live;
}

// Answers that rank and settle alike become one, so that a filter that returns a calculated number does not
// need a leaf for every number: those of unknown actions are all the same between two known ones.
std::uint32_t ranked(std::uint32_t answer) {
    static constexpr auto kKnown = std::to_array<std::uint32_t>(
        {SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF,
         SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS});
    const std::uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
    const auto known = std::ranges::upper_bound(kKnown, action) - 1;
    return *known == action ? settled_answer(answer) : *known + (SECCOMP_RET_DATA + 1);
}

// Runs one program with its input open: a value is a Word, a jump on one a choice of two diagrams.
class Machine {
public:
    Machine(Diagrams& diagrams, std::span<const sock_filter> program)
        : diagrams_(diagrams), program_(program), live_(live_in(program)) {
        (void)words_.number(constant_word(0));
        (void)memories_.number(Memory{});
    }

    // Depth first with a stack of its own: a program may be 4096 jumps deep.
    Result<Node> run() {
        std::vector<std::uint32_t> open = {state(State{})};
        while (!open.empty()) {
            CHECK(diagrams_.check());
            if (states_.size() + words_.size() + memories_.size() > kMostStates)
                return fail("analyse a system call filter",
                            fmt::format("not analysed: it has more than {} states and values", kMostStates),
                            "calculate less with what the arguments are");
            visit(open);
        }
        CHECK(diagrams_.check());
        return fates_.front().answer;
    }

private:
    void visit(std::vector<std::uint32_t>& open) {
        const std::uint32_t number = open.back();
        if (!fates_[number].known && !fates_[number].forks) {
            const Fate fate = follow(states_[number]);
            fates_[number] = fate;
        }
        auto& fate = fates_[number];
        if (!fate.known) {
            const bool ready = fates_[fate.yes].known && fates_[fate.no].known;
            if (!fates_[fate.yes].known) open.push_back(fate.yes);
            if (!fates_[fate.no].known) open.push_back(fate.no);
            if (!ready) return;
            fate.answer = diagrams_.choose(fate.condition, fates_[fate.yes].answer, fates_[fate.no].answer);
            fate.known = true;
        }
        open.pop_back();
    }

    // Up to the next choice, or the answer.
    Fate follow(State now) {
        while (now.next < program_.size()) {
            const auto& op = program_[now.next++];
            switch (BPF_CLASS(op.code)) {
                case BPF_RET: return {.answer = returned(now, op), .known = true};
                case BPF_JMP:
                    if (const auto fate = jump(now, op)) return *fate;
                    break;
                case BPF_ALU:
                    if (const auto fate = calculate(now, op)) return *fate;
                    break;
                default: move(now, op);
            }
        }
        return {.answer = diagrams_.leaf(SECCOMP_RET_KILL_THREAD), .known = true};  // divided by 0
    }

    std::uint32_t state(State now) {
        const auto& live = live_[now.next];
        if (!live.a) now.a = kNothing;
        if (!live.x) now.x = kNothing;
        if (now.memory != 0) now.memory = forgotten(now.memory, live.memory);
        const std::uint32_t number = states_.number(now);
        if (number == fates_.size()) fates_.emplace_back();
        return number;
    }

    std::uint32_t forgotten(std::uint32_t number, std::uint32_t live) {
        Memory memory = memories_[number];
        for (std::uint32_t i = 0; i < memory.size(); ++i)
            if ((live >> i & 1U) == 0) memory.at(i) = kNothing;
        return memories_.number(memory);
    }

    Fate fork(Node condition, const State& yes, const State& no) {
        const std::uint32_t first = state(yes);
        const std::uint32_t second = state(no);
        return {.condition = condition, .yes = first, .no = second, .forks = true};
    }

    Word operand(const State& now, const sock_filter& op) const {
        return BPF_SRC(op.code) == BPF_X ? words_[now.x] : constant_word(op.k);
    }

    std::optional<Fate> jump(State& now, const sock_filter& op) {
        if (BPF_OP(op.code) == BPF_JA) {
            now.next += op.k;
            return std::nullopt;
        }
        const Node taken = condition(op, words_[now.a], operand(now, op));
        State yes = now;
        yes.next += op.jt;
        now.next += op.jf;
        if (taken > Diagrams::kTrue && yes.next != now.next) return fork(taken, yes, now);
        if (taken == Diagrams::kTrue) now = yes;
        return std::nullopt;
    }

    Node condition(const sock_filter& op, const Word& a, const Word& other) {
        switch (BPF_OP(op.code)) {
            case BPF_JEQ: return equal(diagrams_, a, other);
            case BPF_JGT: return greater(diagrams_, a, other);
            case BPF_JGE:
                return diagrams_.choose(greater(diagrams_, other, a), Diagrams::kFalse, Diagrams::kTrue);
            default: return any_common_bit(diagrams_, a, other);  // BPF_JSET
        }
    }

    // Division by 0 ends the program.
    std::optional<Fate> calculate(State& now, const sock_filter& op) {
        const Word other = operand(now, op);
        const Word a = words_[now.a];
        now.a = words_.number(calculated(op, a, other));
        if (BPF_OP(op.code) != BPF_DIV) return std::nullopt;
        const Node none = equal(diagrams_, other, constant_word(0));
        if (none == Diagrams::kFalse) return std::nullopt;
        return fork(none, {.next = static_cast<std::uint32_t>(program_.size())}, now);
    }

    Word calculated(const sock_filter& op, const Word& a, const Word& other) {
        switch (BPF_OP(op.code)) {
            case BPF_ADD: return sum(diagrams_, a, other);
            case BPF_SUB: return difference(diagrams_, a, other);
            case BPF_MUL: return product(diagrams_, a, other);
            case BPF_DIV: return quotient(diagrams_, a, other);
            case BPF_AND: return word_and(diagrams_, a, other);
            case BPF_OR: return word_or(diagrams_, a, other);
            case BPF_XOR: return word_xor(diagrams_, a, other);
            case BPF_LSH: return shifted_left(diagrams_, a, other);
            case BPF_RSH: return shifted_right(diagrams_, a, other);
            default: return difference(diagrams_, constant_word(0), a);  // BPF_NEG
        }
    }

    void move(State& now, const sock_filter& op) {
        switch (BPF_CLASS(op.code)) {
            case BPF_LD: now.a = loaded(now, op); break;
            case BPF_LDX: now.x = loaded(now, op); break;
            case BPF_ST: now.memory = stored(now, op.k, now.a); break;
            case BPF_STX: now.memory = stored(now, op.k, now.x); break;
            default:
                (op.code == (BPF_MISC | BPF_TAX) ? now.x : now.a) =
                    op.code == (BPF_MISC | BPF_TAX) ? now.a : now.x;
        }
    }

    std::uint32_t loaded(const State& now, const sock_filter& op) {
        switch (BPF_MODE(op.code)) {
            case BPF_ABS: return input(input_word_at(op.k));
            case BPF_LEN: return words_.number(constant_word(sizeof(seccomp_data)));
            case BPF_MEM: return memories_[now.memory].at(op.k);
            default: return words_.number(constant_word(op.k));  // BPF_IMM
        }
    }

    std::uint32_t input(unsigned place) {
        auto& number = inputs_.at(place);
        if (number == kNothing) number = words_.number(input_word(diagrams_, place));
        return number;
    }

    std::uint32_t stored(const State& now, std::uint32_t place, std::uint32_t word) {
        Memory memory = memories_[now.memory];
        memory.at(place) = word;
        return memories_.number(memory);
    }

    Node returned(const State& now, const sock_filter& op) {
        if (BPF_RVAL(op.code) == BPF_K) return diagrams_.leaf(ranked(op.k));
        return answer_of(words_[now.a], 32, 0);
    }

    // The answer that is `word`, whose bits from `bit` upwards are those of `high`.
    Node answer_of(const Word& word, unsigned bit, std::uint32_t high) {
        const std::uint32_t last = bit == 32 ? ~0U : high | ((1U << bit) - 1);
        if (ranked(high) == ranked(last)) return diagrams_.leaf(ranked(high));
        if (diagrams_.exhausted()) return Diagrams::kFalse;
        const Node set = word.at(bit - 1);
        const Node zero = set == Diagrams::kTrue ? 0 : answer_of(word, bit - 1, high);
        const Node one = set == Diagrams::kFalse ? 0 : answer_of(word, bit - 1, high | 1U << (bit - 1));
        return diagrams_.choose(set, one, zero);
    }

    Diagrams& diagrams_;
    std::span<const sock_filter> program_;
    std::vector<Live> live_;
    Interned<Word> words_;
    std::array<std::uint32_t, kInputWords> inputs_{};  // kNothing where not asked for yet
    Interned<Memory> memories_;
    Interned<State> states_;
    std::vector<Fate> fates_;  // by the number of the state
};

// With answers ranked, not yet settled: they may still be stacked.
Result<Node> ranked_diagram_of(Diagrams& diagrams, std::span<const sock_filter> program) {
    CHECK(check_accepted(program));
    return Machine(diagrams, program).run();
}

Result<Node> finished(Diagrams& diagrams, Node ranked_diagram) {
    const Node result = diagrams.settled(ranked_diagram);
    CHECK(diagrams.check());
    return result;
}

}  // namespace

Result<Node> diagram_of(Diagrams& diagrams, std::span<const sock_filter> program) {
    return finished(diagrams, TRY(ranked_diagram_of(diagrams, program)));
}

Result<Node> diagram_of(Diagrams& diagrams, std::span<const std::vector<sock_filter>> oldest_first) {
    Node all = diagrams.leaf(SECCOMP_RET_ALLOW);
    for (const auto& program : oldest_first)
        all = diagrams.stacked(TRY(ranked_diagram_of(diagrams, program)), all);
    return finished(diagrams, all);
}

}  // namespace guard
