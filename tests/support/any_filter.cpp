#include "tests/support/any_filter.h"

#include <linux/audit.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace guard::support {
namespace {

std::uint32_t below(std::mt19937& random, std::size_t end) {
    return static_cast<std::uint32_t>(random() % end);
}

template <class T, std::size_t N>
T one_of(std::mt19937& random, const std::array<T, N>& all) {
    return all.at(below(random, N));
}

std::uint32_t any_constant(std::mt19937& random) {
    static constexpr auto kUsual = std::to_array<std::uint32_t>(
        {0, 1, 2, 3, 8, 41, 56, 59, 0xff, 0x7e02'0000, 0x4000'0000, 0x7fff'ffff, ~0U, AUDIT_ARCH_X86_64});
    switch (below(random, 4)) {
        case 0: return static_cast<std::uint32_t>(random());
        case 1: return 1U << below(random, 32);
        default: return one_of(random, kUsual);
    }
}

std::uint32_t any_answer(std::mt19937& random) {
    static constexpr auto kAnswers = std::to_array<std::uint32_t>(
        {SECCOMP_RET_ALLOW, SECCOMP_RET_LOG, SECCOMP_RET_TRACE | 7, SECCOMP_RET_USER_NOTIF,
         SECCOMP_RET_ERRNO | 1, SECCOMP_RET_ERRNO | 38, SECCOMP_RET_ERRNO | 0xffff, SECCOMP_RET_TRAP | 9,
         SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS, 0x1234'5678, 0x7fff'0001, 0x8001'0000});
    return one_of(random, kAnswers);
}

sock_filter jump(std::mt19937& random, std::size_t left, Arithmetic arithmetic) {
    static constexpr auto kTests = std::to_array<std::uint16_t>({BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET});
    const std::size_t reach = std::min<std::size_t>(left, 12);
    if (below(random, 16) == 0) return BPF_STMT(BPF_JMP | BPF_JA, below(random, reach));
    const std::uint16_t source = arithmetic == Arithmetic::all && below(random, 6) == 0 ? BPF_X : BPF_K;
    return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | one_of(random, kTests) | source),
                    any_constant(random), static_cast<std::uint8_t>(below(random, reach)),
                    static_cast<std::uint8_t>(below(random, reach)));
}

sock_filter calculation(std::mt19937& random, Arithmetic arithmetic) {
    static constexpr auto kLight =
        std::to_array<std::uint16_t>({BPF_ADD, BPF_SUB, BPF_AND, BPF_OR, BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG});
    static constexpr auto kHeavy = std::to_array<std::uint16_t>({BPF_MUL, BPF_DIV});
    const bool heavy = arithmetic == Arithmetic::all && below(random, 8) == 0;
    const auto operation = heavy ? one_of(random, kHeavy) : one_of(random, kLight);
    const bool by_x = arithmetic == Arithmetic::all && operation != BPF_NEG && below(random, 5) == 0;
    std::uint32_t constant = any_constant(random);
    if (operation == BPF_LSH || operation == BPF_RSH) constant %= 32;
    if (operation == BPF_DIV) constant = std::max(constant, 1U);
    return BPF_STMT(static_cast<std::uint16_t>(BPF_ALU | operation | (by_x ? BPF_X : BPF_K)), constant);
}

// The first two instructions write scratch memory 0 and 1: nothing else is loaded.
sock_filter movement(std::mt19937& random) {
    switch (below(random, 8)) {
        case 0: return BPF_STMT(BPF_ST, below(random, 2));
        case 1: return BPF_STMT(BPF_STX, below(random, 2));
        case 2: return BPF_STMT(BPF_LD | BPF_MEM, below(random, 2));
        case 3: return BPF_STMT(BPF_LDX | BPF_MEM, below(random, 2));
        case 4: return BPF_STMT(BPF_MISC | BPF_TAX, 0);
        case 5: return BPF_STMT(BPF_MISC | BPF_TXA, 0);
        case 6: return BPF_STMT(BPF_LDX | BPF_IMM, any_constant(random));
        default: return BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0);
    }
}

sock_filter any_instruction(std::mt19937& random, std::size_t left, Arithmetic arithmetic) {
    switch (below(random, 10)) {
        case 0:
        case 1:
        case 2: return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, below(random, 16) * 4);
        case 3: return calculation(random, arithmetic);
        case 4: return movement(random);
        case 5: return BPF_STMT(BPF_RET | BPF_K, any_answer(random));
        case 6:
            if (below(random, 8) == 0) return BPF_STMT(BPF_RET | BPF_A, 0);
            return calculation(random, arithmetic);
        default: return jump(random, left, arithmetic);
    }
}

}  // namespace

std::vector<sock_filter> any_filter(std::mt19937& random, std::size_t size, Arithmetic arithmetic) {
    std::vector<sock_filter> program = {BPF_STMT(BPF_ST, 0), BPF_STMT(BPF_STX, 1)};
    while (program.size() + 1 < std::max<std::size_t>(size, 3))
        program.push_back(any_instruction(random, size - program.size() - 1, arithmetic));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, any_answer(random)));
    return program;
}

seccomp_data any_input(std::mt19937& random, std::span<const sock_filter> program) {
    const auto word = [&random, program]() -> std::uint32_t {
        const std::uint32_t near = program[below(random, program.size())].k;
        switch (below(random, 6)) {
            case 0: return near;
            case 1: return near + 1;
            case 2: return near - 1;
            case 3: return near ^ 1U << below(random, 32);
            case 4: return below(random, 520);
            default: return static_cast<std::uint32_t>(random());
        }
    };
    const auto wide = [&random, &word] {
        const std::uint64_t low = word();
        return below(random, 2) == 0 ? low : static_cast<std::uint64_t>(word()) << 32U | low;
    };
    static constexpr auto kArches = std::to_array<std::uint32_t>(
        {AUDIT_ARCH_X86_64, AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0});
    seccomp_data data{};
    data.arch = below(random, 8) == 0 ? word() : one_of(random, kArches);
    data.nr = static_cast<int>(word() | (below(random, 6) == 0 ? 0x4000'0000U : 0U));
    data.instruction_pointer = wide();
    for (auto& argument : data.args) argument = wide();
    return data;
}

std::size_t inputs_to_try(std::size_t small) {
    const char* wanted = std::getenv("GUARD_FILTER_INPUTS");
    return wanted == nullptr ? small : std::strtoull(wanted, nullptr, 10);
}

}  // namespace guard::support
