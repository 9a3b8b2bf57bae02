// A second oracle for diagrams: Z3 is asked whether any of the 2^512 inputs is answered otherwise by the
// program than by its diagram. The interpreter can only try some.
#if __has_include(<z3++.h>)
#include <gtest/gtest.h>
#include <z3++.h>

#include <array>
#include <map>
#include <random>
#include <vector>

#include "posture/filter/diagram.h"
#include "posture/filter/program_diagram.h"
#include "tests/support/any_filter.h"

namespace guard {
namespace {

// A program as one term of bit-vectors: where two ways meet, a choice of what each brings.
class ProgramTerm {
public:
    ProgramTerm(z3::context& z3, std::vector<sock_filter> program) : z3_(z3), program_(std::move(program)) {
        for (unsigned i = 0; i < kInputWords; ++i)
            words_.push_back(z3.bv_const(("w" + std::to_string(i)).c_str(), 32));
        for (std::size_t i = 0; i < program_.size(); ++i) arrivals_.emplace_back();
        arrivals_[0].push_back({z3.bool_val(true), number(0), number(0), {number(0), number(0)}});
    }

    z3::expr answer() {
        for (at_ = 0; at_ < program_.size(); ++at_)
            if (!arrivals_[at_].empty()) step(met(arrivals_[at_]), program_[at_]);
        return answer_;
    }
    [[nodiscard]] const std::vector<z3::expr>& words() const { return words_; }

private:
    // How a place is reached, and with what. any_filter uses two words of scratch memory.
    struct State {
        z3::expr when, a, x;
        std::array<z3::expr, 2> memory;
    };

    z3::expr number(std::uint32_t value) { return z3_.bv_val(value, 32); }

    static State met(const std::vector<State>& all) {
        State state = all.front();
        for (std::size_t i = 1; i < all.size(); ++i) {
            const auto& other = all[i];
            state.a = z3::ite(other.when, other.a, state.a);
            state.x = z3::ite(other.when, other.x, state.x);
            for (std::size_t word = 0; word < 2; ++word)
                state.memory.at(word) = z3::ite(other.when, other.memory.at(word), state.memory.at(word));
            state.when = state.when || other.when;
        }
        return state;
    }

    void go(State state, std::size_t to) { arrivals_.at(to).push_back(std::move(state)); }
    void finish(const z3::expr& when, const z3::expr& value) { answer_ = z3::ite(when, value, answer_); }

    void step(State state, const sock_filter& op) {
        switch (BPF_CLASS(op.code)) {
            case BPF_RET: return finish(state.when, BPF_RVAL(op.code) == BPF_A ? state.a : number(op.k));
            case BPF_JMP: return jump(state, op);
            case BPF_ALU: calculate(state, op); break;
            case BPF_LD: state.a = loaded(state, op); break;
            case BPF_LDX: state.x = loaded(state, op); break;
            case BPF_ST: state.memory.at(op.k) = state.a; break;
            case BPF_STX: state.memory.at(op.k) = state.x; break;
            default: (BPF_MISCOP(op.code) == BPF_TAX ? state.x = state.a : state.a = state.x);
        }
        go(state, at_ + 1);
    }

    z3::expr loaded(const State& state, const sock_filter& op) {
        switch (BPF_MODE(op.code)) {
            case BPF_ABS: return words_.at(input_word_at(op.k));
            case BPF_MEM: return state.memory.at(op.k);
            case BPF_LEN: return number(sizeof(seccomp_data));
            default: return number(op.k);
        }
    }

    void jump(const State& state, const sock_filter& op) {
        if (BPF_OP(op.code) == BPF_JA) return go(state, at_ + 1 + op.k);
        const auto other = BPF_SRC(op.code) == BPF_X ? state.x : number(op.k);
        const auto taken = BPF_OP(op.code) == BPF_JEQ   ? state.a == other
                           : BPF_OP(op.code) == BPF_JGT ? z3::ugt(state.a, other)
                           : BPF_OP(op.code) == BPF_JGE ? z3::uge(state.a, other)
                                                        : (state.a & other) != number(0);
        State yes = state;
        State no = state;
        yes.when = state.when && taken;
        no.when = state.when && !taken;
        go(yes, at_ + 1 + op.jt);
        go(no, at_ + 1 + op.jf);
    }

    void calculate(State& state, const sock_filter& op) {
        const auto other = BPF_SRC(op.code) == BPF_X ? state.x : number(op.k);
        switch (BPF_OP(op.code)) {
            case BPF_ADD: state.a = state.a + other; break;
            case BPF_SUB: state.a = state.a - other; break;
            case BPF_AND: state.a = state.a & other; break;
            case BPF_OR: state.a = state.a | other; break;
            case BPF_XOR: state.a = state.a ^ other; break;
            case BPF_MUL: state.a = state.a * other; break;
            case BPF_DIV:
                finish(state.when && other == number(0), number(SECCOMP_RET_KILL_THREAD));
                state.when = state.when && other != number(0);
                state.a = z3::udiv(state.a, other);
                break;
            case BPF_LSH: state.a = z3::shl(state.a, other & number(31)); break;
            case BPF_RSH: state.a = z3::lshr(state.a, other & number(31)); break;
            default: state.a = -state.a;
        }
    }

    z3::context& z3_;
    std::vector<sock_filter> program_;
    std::vector<z3::expr> words_;
    std::vector<std::vector<State>> arrivals_;
    std::size_t at_ = 0;
    z3::expr answer_ = number(0);
};

// settled_answer as a term.
z3::expr settled(z3::context& z3, const z3::expr& answer) {
    const auto number = [&z3](std::uint32_t value) { return z3.bv_val(value, 32); };
    const auto action = answer & number(SECCOMP_RET_ACTION_FULL);
    const auto data = answer & number(SECCOMP_RET_DATA);
    auto result = number(SECCOMP_RET_KILL_PROCESS);
    for (const std::uint32_t known :
         {SECCOMP_RET_KILL_THREAD, SECCOMP_RET_USER_NOTIF, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW})
        result = z3::ite(action == number(known), number(known), result);
    for (const std::uint32_t whole : {SECCOMP_RET_TRAP, SECCOMP_RET_TRACE})
        result = z3::ite(action == number(whole), answer, result);
    const auto capped = z3::ite(z3::ugt(data, number(4095)), number(4095), data);
    return z3::ite(action == number(SECCOMP_RET_ERRNO), action | capped, result);
}

z3::expr term_of(z3::context& z3, const Diagrams& diagrams, Diagrams::Node node,
                 const std::vector<z3::expr>& words, std::map<Diagrams::Node, z3::expr>& known) {
    if (const auto found = known.find(node); found != known.end()) return found->second;
    const unsigned bit = diagrams.bit(node);
    if (diagrams.is_leaf(node)) return z3.bv_val(diagrams.answer(node), 32);
    const unsigned place = 31 - bit % 32;
    const auto set = words.at(bit / 32).extract(place, place) == z3.bv_val(1, 1);
    const auto term = z3::ite(set, term_of(z3, diagrams, diagrams.one(node, bit), words, known),
                              term_of(z3, diagrams, diagrams.zero(node, bit), words, known));
    known.emplace(node, term);
    return term;
}

TEST(FilterZ3Test, NoInputIsAnsweredOtherwiseThanByTheDiagram) {
    std::size_t proved = 0;
    for (unsigned seed = 0; seed < 60; ++seed) {
        std::mt19937 random(seed + 1000);
        const auto arithmetic = seed % 3 == 0 ? support::Arithmetic::all : support::Arithmetic::light;
        const auto program = support::any_filter(random, 6 + seed % 20, arithmetic);
        Diagrams diagrams({.nodes = 20'000, .steps = 200'000});
        const auto node = diagram_of(diagrams, program);
        if (!node) continue;  // not analysed
        z3::context z3;
        ProgramTerm term(z3, program);
        const auto answer = settled(z3, term.answer());
        std::map<Diagrams::Node, z3::expr> known;
        z3::solver solver(z3);
        solver.set("timeout", 2000U);
        solver.add(answer != term_of(z3, diagrams, *node, term.words(), known));
        const auto found = solver.check();
        ASSERT_NE(found, z3::sat) << "seed " << seed << ": " << solver.get_model();
        if (found == z3::unsat) ++proved;
    }
    RecordProperty("proved", static_cast<int>(proved));
    EXPECT_GT(proved, 30U);
}

}  // namespace
}  // namespace guard
#else
#include <gtest/gtest.h>

TEST(FilterZ3Test, NoInputIsAnsweredOtherwiseThanByTheDiagram) {
    GTEST_SKIP() << "Z3 is not installed: apt-get install libz3-dev";
}
#endif
