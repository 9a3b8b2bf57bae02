#include "posture/filter/accepted.h"

#include <fmt/format.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace guard {
namespace {

// Everything that seccomp takes; whoever asks for a packet, or divides with a rest, is refused. seccomp(2)
constexpr auto kAccepted = std::to_array<std::uint16_t>({
    BPF_LD | BPF_W | BPF_ABS,
    BPF_LD | BPF_W | BPF_LEN,
    BPF_LDX | BPF_W | BPF_LEN,
    BPF_LD | BPF_IMM,
    BPF_LDX | BPF_IMM,
    BPF_LD | BPF_MEM,
    BPF_LDX | BPF_MEM,
    BPF_ST,
    BPF_STX,
    BPF_MISC | BPF_TAX,
    BPF_MISC | BPF_TXA,
    BPF_RET | BPF_K,
    BPF_RET | BPF_A,
    BPF_ALU | BPF_NEG,
    BPF_ALU | BPF_ADD | BPF_K,
    BPF_ALU | BPF_ADD | BPF_X,
    BPF_ALU | BPF_SUB | BPF_K,
    BPF_ALU | BPF_SUB | BPF_X,
    BPF_ALU | BPF_MUL | BPF_K,
    BPF_ALU | BPF_MUL | BPF_X,
    BPF_ALU | BPF_DIV | BPF_K,
    BPF_ALU | BPF_DIV | BPF_X,
    BPF_ALU | BPF_AND | BPF_K,
    BPF_ALU | BPF_AND | BPF_X,
    BPF_ALU | BPF_OR | BPF_K,
    BPF_ALU | BPF_OR | BPF_X,
    BPF_ALU | BPF_XOR | BPF_K,
    BPF_ALU | BPF_XOR | BPF_X,
    BPF_ALU | BPF_LSH | BPF_K,
    BPF_ALU | BPF_LSH | BPF_X,
    BPF_ALU | BPF_RSH | BPF_K,
    BPF_ALU | BPF_RSH | BPF_X,
    BPF_JMP | BPF_JA,
    BPF_JMP | BPF_JEQ | BPF_K,
    BPF_JMP | BPF_JEQ | BPF_X,
    BPF_JMP | BPF_JGE | BPF_K,
    BPF_JMP | BPF_JGE | BPF_X,
    BPF_JMP | BPF_JGT | BPF_K,
    BPF_JMP | BPF_JGT | BPF_X,
    BPF_JMP | BPF_JSET | BPF_K,
    BPF_JMP | BPF_JSET | BPF_X,
});

bool lands(const sock_filter& op, std::size_t left) {
    if (op.code == (BPF_JMP | BPF_JA)) return op.k < left;
    return op.jt < left && op.jf < left;
}

// What is wrong with one instruction by itself, `left` others being behind it; empty where nothing is.
std::string_view fault_of(const sock_filter& op, std::size_t left) {
    if (std::ranges::find(kAccepted, op.code) == kAccepted.end()) return "seccomp has no such instruction";
    if (op.code == (BPF_LD | BPF_W | BPF_ABS) && (op.k >= sizeof(seccomp_data) || op.k % 4 != 0))
        return "it loads from outside of seccomp_data";
    if (op.code == (BPF_ALU | BPF_DIV | BPF_K) && op.k == 0) return "it divides by 0";
    const auto shift = op.code == (BPF_ALU | BPF_LSH | BPF_K) || op.code == (BPF_ALU | BPF_RSH | BPF_K);
    if (shift && op.k >= 32) return "it shifts by more than 31";
    const auto memory = op.code == (BPF_LD | BPF_MEM) || op.code == (BPF_LDX | BPF_MEM) ||
                        op.code == BPF_ST || op.code == BPF_STX;
    if (memory && op.k >= BPF_MEMWORDS) return "there are 16 words of scratch memory";
    if (BPF_CLASS(op.code) == BPF_JMP && !lands(op, left)) return "it jumps behind the end";
    return "";
}

// Words of scratch memory that each instruction finds written on every way to it.
class Written {
public:
    explicit Written(std::size_t size) : before_(size, kAll) { before_[0] = 0; }

    // False where the instruction loads what may not have been written.
    bool follow(std::size_t at, const sock_filter& op) {
        std::uint32_t words = before_[at];
        const bool loads = op.code == (BPF_LD | BPF_MEM) || op.code == (BPF_LDX | BPF_MEM);
        if (loads && (words >> op.k & 1U) == 0) return false;
        if (op.code == BPF_ST || op.code == BPF_STX) words |= 1U << op.k;
        if (BPF_CLASS(op.code) == BPF_JMP) {
            const bool always = BPF_OP(op.code) == BPF_JA;
            before_[at + 1 + (always ? op.k : op.jt)] &= words;
            before_[at + 1 + (always ? op.k : op.jf)] &= words;
        } else if (at + 1 < before_.size()) {
            before_[at + 1] &= words;  // behind a return too: the kernel looks no closer
        }
        return true;
    }

private:
    static constexpr std::uint32_t kAll = 0xffff;
    std::vector<std::uint32_t> before_;
};

std::unexpected<Error> refused(std::size_t at, std::string_view why) {
    return fail("read a system call filter", fmt::format("the kernel refuses instruction {}: {}", at, why));
}

}  // namespace

Result<void> check_accepted(std::span<const sock_filter> program) {
    if (program.empty() || program.size() > BPF_MAXINSNS)
        return fail("read a system call filter",
                    fmt::format("it has {} instructions, and the kernel takes 1 to {}", program.size(),
                                BPF_MAXINSNS));
    if (BPF_CLASS(program.back().code) != BPF_RET)
        return refused(program.size() - 1, "it is the last, and does not return");
    Written written(program.size());
    for (std::size_t at = 0; at < program.size(); ++at) {
        if (const auto fault = fault_of(program[at], program.size() - at - 1); !fault.empty())
            return refused(at, fault);
        if (!written.follow(at, program[at])) return refused(at, "it loads scratch memory never written");
    }
    return {};
}

}  // namespace guard
