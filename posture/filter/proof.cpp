#include "posture/filter/proof.h"

#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "posture/filter/declared.h"
#include "posture/syscalls.h"

namespace guard {
namespace {

constexpr std::uint32_t kX32Bit = 0x4000'0000;
constexpr std::size_t kMostCubes = 100'000;  // stops a program that splits the arguments without end

// The accumulator: a number, or some bits of one half of an argument.
struct Value {
    bool open = false;        // depends on an argument
    bool number = false;      // is the number of the call itself: it may be compared, not calculated with
    std::uint32_t known = 0;  // where not open
    unsigned argument = 0, shift = 0;
    std::uint32_t mask = 0;  // the bits of that half that are left
};

// One branch: where it is, what it holds, and which arguments get here.
struct Branch {
    std::size_t next = 0;
    Value a;
    std::vector<Cube> region;
};

struct Outcome {
    std::uint32_t action = 0;
    std::vector<Cube> region;
};

struct Call {
    std::uint32_t arch = 0, number = 0;
};

std::unexpected<Error> not_analysed(std::size_t at) {
    return fail("prove a system call filter", fmt::format("instruction {} is none that guard emits", at));
}

Result<Value> loaded(std::uint32_t offset, const Call& call, std::size_t at) {
    // A foreign ABI has to be refused before its numbers are looked at: they mean other calls there.
    if (offset == offsetof(seccomp_data, nr) && call.arch != AUDIT_ARCH_X86_64) return not_analysed(at);
    if (offset == offsetof(seccomp_data, nr)) return Value{.number = true, .known = call.number};
    if (offset == offsetof(seccomp_data, arch)) return Value{.number = true, .known = call.arch};
    constexpr std::uint32_t first = offsetof(seccomp_data, args);
    if (offset < first || offset % 4 != 0 || offset >= sizeof(seccomp_data)) return not_analysed(at);
    const std::uint32_t word = (offset - first) / 4;
    return Value{.open = true, .argument = word / 2, .shift = word % 2 * 32, .mask = ~0U};
}

// The arguments for which an open value equals `wanted`; none where no argument does.
std::vector<Cube> where_equal(const Value& value, std::uint32_t wanted) {
    if ((wanted & ~value.mask) != 0) return {};
    Cube cube;
    cube.mask[value.argument] = static_cast<std::uint64_t>(value.mask) << value.shift;
    cube.value[value.argument] = static_cast<std::uint64_t>(wanted) << value.shift;
    return {cube};
}

bool known_jump(const sock_filter& op, std::uint32_t a) {
    switch (BPF_OP(op.code)) {
        case BPF_JEQ: return a == op.k;
        case BPF_JGT: return a > op.k;
        case BPF_JGE: return a >= op.k;
        default: return (a & op.k) != 0;
    }
}

// Runs one program with the arguments open.
class Runner {
public:
    Runner(std::span<const sock_filter> program, const Call& call) : program_(program), call_(call) {}

    Result<std::vector<Outcome>> run() {
        std::vector<Branch> open(1);
        open.front().region = {Cube{}};
        while (!open.empty()) {
            Branch branch = std::move(open.back());
            open.pop_back();
            CHECK(follow(std::move(branch), open));
            if (cubes_ > kMostCubes) return fail("prove a system call filter", "it has too many branches");
        }
        return std::move(outcomes_);
    }

private:
    // Up to the next fork, or the end.
    Result<void> follow(Branch branch, std::vector<Branch>& open) {
        while (branch.next < program_.size()) {
            const std::size_t at = branch.next++;
            const sock_filter& op = program_[at];
            switch (op.code) {
                case BPF_LD | BPF_W | BPF_ABS: branch.a = TRY(loaded(op.k, call_, at)); break;
                case BPF_ALU | BPF_AND | BPF_K: CHECK(mask(branch.a, op.k, at)); break;
                case BPF_JMP | BPF_JA: branch.next += op.k; break;
                case BPF_RET | BPF_K: outcomes_.push_back({op.k, std::move(branch.region)}); return {};
                default:
                    if (BPF_CLASS(op.code) != BPF_JMP || BPF_SRC(op.code) != BPF_K) return not_analysed(at);
                    if (branch.a.open) return fork(std::move(branch), op, at, open);
                    if (branch.a.number && BPF_OP(op.code) == BPF_JSET) return not_analysed(at);
                    branch.next += known_jump(op, branch.a.known) ? op.jt : op.jf;
            }
        }
        return fail("prove a system call filter", "it runs off its end");
    }

    static Result<void> mask(Value& a, std::uint32_t bits, std::size_t at) {
        if (!a.open) return not_analysed(at);
        a.mask &= bits;
        return {};
    }

    Result<void> fork(Branch branch, const sock_filter& op, std::size_t at, std::vector<Branch>& open) {
        Value tested = branch.a;
        std::uint32_t wanted = op.k;
        std::size_t equal = op.jt;
        std::size_t other = op.jf;
        if (BPF_OP(op.code) == BPF_JSET) {  // no bit of k: equal to 0 under it
            tested.mask &= op.k;
            wanted = 0;
            std::swap(equal, other);
        } else if (BPF_OP(op.code) != BPF_JEQ) {
            return not_analysed(at);
        }
        const auto test = where_equal(tested, wanted);
        add(open, {branch.next + equal, branch.a, both(branch.region, test)});
        add(open, {branch.next + other, branch.a, without(branch.region, test)});
        return {};
    }

    void add(std::vector<Branch>& open, Branch branch) {
        if (branch.region.empty()) return;
        cubes_ += branch.region.size();
        open.push_back(std::move(branch));
    }

    std::span<const sock_filter> program_;
    Call call_;
    std::vector<Outcome> outcomes_;
    std::size_t cubes_ = 0;
};

// One number of each stretch between two that the program or the table can tell apart.
std::set<std::uint32_t> numbers_to_try(std::span<const sock_filter> program) {
    std::set<std::uint32_t> numbers = {0, kX32Bit, ~0U};
    for (const auto& op : program)
        if (BPF_CLASS(op.code) == BPF_JMP) numbers.insert({op.k, op.k + 1});
    for (const auto& row : syscalls())
        if (row.x86_64 >= 0)
            numbers.insert(
                {static_cast<std::uint32_t>(row.x86_64), static_cast<std::uint32_t>(row.x86_64) + 1});
    return numbers;
}

std::unexpected<Error> answers_otherwise(const Call& call, const Outcome& found) {
    const auto* row = find_syscall(static_cast<int>(call.number));
    const auto& arguments = found.region.empty() ? Cube{}.value : found.region.front().value;
    return fail(
        "prove a system call filter",
        fmt::format("it answers {:#x} to {} of ABI {:#x} with arguments {:#x}, which was not declared",
                    found.action, row == nullptr ? fmt::format("call {:#x}", call.number) : row->name,
                    call.arch, fmt::join(arguments, ", ")));
}

// Whether all arguments of one outcome are declared to have it.
Result<void> check_outcome(const FilterRules& rules, const Call& call, const Outcome& found) {
    const auto* row = find_syscall(static_cast<int>(call.number));
    const bool foreign = call.arch != AUDIT_ARCH_X86_64 || (call.number >= kX32Bit && call.number != ~0U);
    if (foreign || row == nullptr) {
        const auto wanted = foreign ? SECCOMP_RET_KILL_PROCESS : action_of(rules.on_unknown);
        if (found.action != wanted) return answers_otherwise(call, found);
        return {};
    }
    static const CallRule kNever;
    const auto entry = rules.calls.find(std::string(row->name));
    const auto& allowed = entry == rules.calls.end() ? kNever : entry->second;
    const auto wrong = found.action == SECCOMP_RET_ALLOW ? without(found.region, allowed.when)
                                                         : both(found.region, allowed.when);
    if (!wrong.empty()) return answers_otherwise(call, {found.action, wrong});
    if (found.action != SECCOMP_RET_ALLOW && found.action != denied_answer(rules, row->name))
        return answers_otherwise(call, found);
    return {};
}

Result<void> check_call(const FilterRules& rules, std::span<const sock_filter> program, const Call& call) {
    for (const auto& outcome : TRY(Runner(program, call).run())) CHECK(check_outcome(rules, call, outcome));
    return {};
}

bool looked_at(const FilterRules& rules, std::uint32_t number) {
    return number < kX32Bit || number == ~0U || !rules.abis.contains("x32");
}

}  // namespace

Result<void> prove_filter(const FilterRules& rules, std::span<const sock_filter> program) {
    const auto numbers = numbers_to_try(program);
    for (const auto number : numbers)
        if (looked_at(rules, number)) CHECK(check_call(rules, program, {AUDIT_ARCH_X86_64, number}));
    if (rules.abis.contains("i386")) return {};
    // The number can't matter here (see `loaded`), so that any will do.
    for (const auto arch : numbers)
        if (arch != AUDIT_ARCH_X86_64) CHECK(check_call(rules, program, {arch, 0}));
    return {};
}

}  // namespace guard
