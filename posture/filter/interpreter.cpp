#include "posture/filter/interpreter.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <optional>

namespace guard {
namespace {

struct Machine {
    std::uint32_t a = 0, x = 0;
    std::array<std::uint32_t, BPF_MEMWORDS> memory{};
    std::size_t next = 0;
    std::optional<std::uint32_t> answer;
};

// Each returns false where the kernel would not have taken the instruction.
bool load(Machine& m, const sock_filter& op, const seccomp_data& data) {
    switch (BPF_MODE(op.code)) {
        case BPF_ABS:
            if (op.k % 4 != 0 || op.k + 4 > sizeof data) return false;
            std::memcpy(&m.a, reinterpret_cast<const char*>(&data) + op.k, 4);
            return true;
        case BPF_IMM: m.a = op.k; return true;
        case BPF_LEN: m.a = sizeof data; return true;
        case BPF_MEM:
            if (op.k >= BPF_MEMWORDS) return false;
            m.a = m.memory[op.k];
            return true;
        default: return false;
    }
}

bool load_x(Machine& m, const sock_filter& op) {
    switch (BPF_MODE(op.code)) {
        case BPF_IMM: m.x = op.k; return true;
        case BPF_LEN: m.x = sizeof(seccomp_data); return true;
        case BPF_MEM:
            if (op.k >= BPF_MEMWORDS) return false;
            m.x = m.memory[op.k];
            return true;
        default: return false;
    }
}

bool store(Machine& m, const sock_filter& op) {
    if (op.k >= BPF_MEMWORDS) return false;
    m.memory[op.k] = BPF_CLASS(op.code) == BPF_ST ? m.a : m.x;
    return true;
}

// Division by X = 0 ends the filter with 0, which is KILL_THREAD, as in the kernel.
bool divide(Machine& m, std::uint32_t by) {
    if (by == 0)
        m.answer = 0;
    else
        m.a /= by;
    return true;
}

// A shift by a constant is at most 31; of X, the low five bits count.
bool shift(Machine& m, const sock_filter& op, std::uint32_t result) {
    m.a = result;
    return BPF_SRC(op.code) == BPF_X || op.k < 32;
}

bool calculate(Machine& m, const sock_filter& op) {
    const std::uint32_t other = BPF_SRC(op.code) == BPF_X ? m.x : op.k;
    switch (BPF_OP(op.code)) {
        case BPF_ADD: m.a += other; return true;
        case BPF_SUB: m.a -= other; return true;
        case BPF_MUL: m.a *= other; return true;
        case BPF_DIV: return (BPF_SRC(op.code) == BPF_X || op.k != 0) && divide(m, other);
        case BPF_AND: m.a &= other; return true;
        case BPF_OR: m.a |= other; return true;
        case BPF_XOR: m.a ^= other; return true;
        case BPF_LSH: return shift(m, op, m.a << other % 32);
        case BPF_RSH: return shift(m, op, m.a >> other % 32);
        case BPF_NEG: m.a = 0U - m.a; return true;
        default: return false;
    }
}

bool jump(Machine& m, const sock_filter& op) {
    const std::uint32_t other = BPF_SRC(op.code) == BPF_X ? m.x : op.k;
    bool taken = false;
    switch (BPF_OP(op.code)) {
        case BPF_JA: m.next += op.k; return true;
        case BPF_JEQ: taken = m.a == other; break;
        case BPF_JGT: taken = m.a > other; break;
        case BPF_JGE: taken = m.a >= other; break;
        case BPF_JSET: taken = (m.a & other) != 0; break;
        default: return false;
    }
    m.next += taken ? op.jt : op.jf;
    return true;
}

bool answer(Machine& m, const sock_filter& op) {
    if (BPF_RVAL(op.code) != BPF_K && BPF_RVAL(op.code) != BPF_A) return false;
    m.answer = BPF_RVAL(op.code) == BPF_A ? m.a : op.k;
    return true;
}

bool move(Machine& m, const sock_filter& op) {
    if (BPF_MISCOP(op.code) == BPF_TAX)
        m.x = m.a;
    else
        m.a = m.x;
    return true;
}

bool step(Machine& m, const sock_filter& op, const seccomp_data& data) {
    ++m.next;
    switch (BPF_CLASS(op.code)) {
        case BPF_LD: return BPF_SIZE(op.code) == BPF_W && load(m, op, data);
        case BPF_LDX: return BPF_SIZE(op.code) == BPF_W && load_x(m, op);
        case BPF_ST:
        case BPF_STX: return store(m, op);
        case BPF_ALU: return calculate(m, op);
        case BPF_JMP: return jump(m, op);
        case BPF_RET: return answer(m, op);
        default: return move(m, op);  // BPF_MISC
    }
}

struct Run {
    std::uint32_t answer = 0;
    std::size_t steps = 0;
};

Result<Run> run(std::span<const sock_filter> program, const seccomp_data& data) {
    Machine machine;
    for (std::size_t steps = 1; machine.next < program.size(); ++steps) {
        const std::size_t at = machine.next;
        if (!step(machine, program[at], data))
            return fail("run a system call filter",
                        fmt::format("the kernel takes no instruction {:#x} (at {})", program[at].code, at));
        if (machine.answer) return Run{*machine.answer, steps};
    }
    return fail("run a system call filter", "it runs off its end");
}

}  // namespace

Result<std::vector<sock_filter>> filter_program(std::string_view bytes) {
    if (bytes.empty() || bytes.size() % sizeof(sock_filter) != 0 ||
        bytes.size() > BPF_MAXINSNS * sizeof(sock_filter))
        return fail("read a system call filter", fmt::format("{} bytes are no BPF program", bytes.size()));
    std::vector<sock_filter> program(bytes.size() / sizeof(sock_filter));
    std::memcpy(program.data(), bytes.data(), bytes.size());
    return program;
}

Result<std::uint32_t> run_filter(std::span<const sock_filter> program, const seccomp_data& data) {
    return TRY(run(program, data)).answer;
}

Result<std::size_t> filter_steps(std::span<const sock_filter> program, const seccomp_data& data) {
    return TRY(run(program, data)).steps;
}

}  // namespace guard
