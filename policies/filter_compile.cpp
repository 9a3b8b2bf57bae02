#include "policies/filter_compile.h"

#include <fmt/format.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/sys.h"
#include "policies/filter_emit.h"
#include "posture/filter/declared.h"
#include "posture/filter/interpreter.h"
#include "posture/filter/proof.h"
#include "posture/filter/rules_diagram.h"
#include "posture/syscall_abi.h"

namespace guard::policies {
namespace {

struct Release {
    void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

// libseccomp returns a negative errno.
Result<void> checked(int code, const std::string& attempt) {
    if (code < 0) return fail_errno(attempt, -code);
    return {};
}

std::uint32_t libseccomp_action(std::uint32_t action) {
    switch (action & SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_ALLOW: return SCMP_ACT_ALLOW;
        case SECCOMP_RET_LOG: return SCMP_ACT_LOG;
        case SECCOMP_RET_ERRNO: return SCMP_ACT_ERRNO(action & SECCOMP_RET_DATA);
        default: return SCMP_ACT_KILL_PROCESS;
    }
}

Result<void> add_abis(scmp_filter_ctx context, const std::set<std::string>& abis) {
    for (const auto& abi : abis) {
        if (abi == "native") continue;
        const std::uint32_t token = abi == "i386" ? SCMP_ARCH_X86 : SCMP_ARCH_X32;
        CHECK(checked(seccomp_arch_add(context, token), "let ABI " + abi + " in"));
    }
    return {};
}

// What is not said about a known call is the default; a range tree answers the rest in few steps.
Result<Context> make_context(const FilterRules& rules, Search search) {
    Context context(seccomp_init(libseccomp_action(action_of(rules.on_denied))));
    if (!context) return fail_errno("prepare a system call filter", ENOMEM);
    CHECK(checked(seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
                  "have other ABIs killed"));
    CHECK(
        checked(seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, static_cast<std::uint32_t>(search)),
                "ask for a short filter"));
    CHECK(add_abis(context.get(), rules.abis));
    return context;
}

// The number libseccomp knows a call by: its own, or for calls of other ABIs a negative one.
Result<int> number_of(const SyscallRow& row) {
    if (row.x86_64 >= 0) return row.x86_64;
    const int number = seccomp_syscall_resolve_name(std::string(row.name).c_str());
    if (number == __NR_SCMP_ERROR)
        return fail("compile the filter", fmt::format("libseccomp does not know `{}`", row.name));
    return number;
}

Result<void> add_rule(scmp_filter_ctx context, std::uint32_t action, const SyscallRow& row,
                      const Cube& cube) {
    std::array<scmp_arg_cmp, 6> tests{};
    unsigned count = 0;
    for (unsigned i = 0; i < cube.mask.size(); ++i)
        if (cube.mask[i] != 0)
            tests[count++] = {
                .arg = i, .op = SCMP_CMP_MASKED_EQ, .datum_a = cube.mask[i], .datum_b = cube.value[i]};
    const int number = TRY(number_of(row));
    return checked(seccomp_rule_add_array(context, libseccomp_action(action), number, count, tests.data()),
                   fmt::format("add a rule for {}", row.name));
}

Result<void> add_rules(scmp_filter_ctx context, std::uint32_t action, const SyscallRow& row,
                       const std::vector<Cube>& cubes) {
    for (const auto& cube : cubes) CHECK(add_rule(context, action, row, cube));
    return {};
}

// A call of another ABI says nothing where only the own one is let in.
bool matters(const SyscallRow& row, const FilterRules& rules) {
    return row.x86_64 >= 0 || rules.abis.size() > 1;
}

Result<void> add_calls(scmp_filter_ctx context, const FilterRules& rules) {
    for (const auto& [call, rule] : rules.calls) {
        const auto* row = find_syscall(call);
        if (matters(*row, rules)) CHECK(add_rules(context, SECCOMP_RET_ALLOW, *row, rule.when));
    }
    if (rules.on_denied == Denial::enosys) return {};  // absent calls are answered so already
    for (const auto& call : rules.absent) {
        const auto* row = find_syscall(call);
        const auto rule = rules.calls.find(call);
        std::vector<Cube> rest = {Cube{}};
        if (rule != rules.calls.end()) rest = simplified(without(rest, rule->second.when));
        if (matters(*row, rules)) CHECK(add_rules(context, action_of(Denial::enosys), *row, rest));
    }
    return {};
}

Result<std::string> exported(scmp_filter_ctx context) {
    // libseccomp 2.5 writes to a descriptor only.
    const UniqueFd file(::memfd_create("filter", MFD_CLOEXEC));
    if (!file) return fail_errno("make room for a filter", errno);
    CHECK(checked(seccomp_export_bpf(context, file.get()), "compile the filter"));
    if (::lseek(file.get(), 0, SEEK_SET) < 0) return fail_errno("read the compiled filter", errno);
    return sys::read_all(file.get(), "the compiled filter");
}

// Stretches of numbers below x32's that no row of the table has.
std::vector<std::pair<std::uint32_t, std::uint32_t>> unknown_numbers() {
    std::vector<std::pair<std::uint32_t, std::uint32_t>> gaps;
    constexpr int past_all = 1024;
    for (int number = 0; number < past_all; ++number) {
        if (find_syscall(number) != nullptr) continue;
        const auto here = static_cast<std::uint32_t>(number);
        if (gaps.empty() || gaps.back().second + 1 != here) gaps.emplace_back(here, here);
        gaps.back().second = here;
    }
    gaps.back().second = kX32Bit - 1;
    return gaps;
}

// libseccomp has one default for all it was not told about, and that is `on_denied`. So numbers that nobody
// knows are answered before it looks: nine instructions in front, instead of a rule for every known call that
// is denied and for what is left of every call that is allowed in part.
std::vector<sock_filter> unknown_numbers_first(std::uint32_t action) {
    const auto gaps = unknown_numbers();
    const auto length = static_cast<std::uint8_t>(gaps.size() * 2 + 3);  // behind the jump over it all
    std::vector<sock_filter> program = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, length),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
    };
    const auto left = [&program, length] { return static_cast<std::uint8_t>(length - (program.size() - 2)); };
    for (const auto& [first, last] : gaps) {
        program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 1));
        program.push_back(
            BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 0, static_cast<std::uint8_t>(left() - 2)));
    }
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ~0U, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, action));
    return program;
}

std::string bytes_of(std::span<const sock_filter> program) {
    return {reinterpret_cast<const char*>(program.data()), program.size_bytes()};
}

Result<void> check_names(const FilterRules& rules) {
    if (!rules.abis.contains("native")) return fail("compile the filter", "abis must hold \"native\"");
    for (const auto& abi : rules.abis)
        if (std::ranges::find(kAbis, abi, &AbiRow::name) == kAbis.end())
            return fail("compile the filter", fmt::format("unknown ABI `{}`", abi));
    const auto check = [](const std::string& call) -> Result<void> {
        if (find_syscall(call) != nullptr) return {};
        return fail("compile the filter", fmt::format("unknown system call `{}`", call));
    };
    for (const auto& [call, rule] : rules.calls) CHECK(check(call));
    for (const auto& call : rules.absent) CHECK(check(call));
    return {};
}

// libseccomp takes time by the square of a call's rules: seconds for some thousands, that end in a longer
// program than guard's.
constexpr std::size_t kMostForLibseccomp = 200;
constexpr std::size_t kMostBits = 64;

std::size_t conditions_in(const FilterRules& rules) {
    std::size_t count = 0;
    for (const auto& [call, rule] : rules.calls) {
        if (rule.always()) continue;
        count += rule.when.size();
        // What is left of an absent call is told in rules too, up to one for each bit of each condition.
        if (rules.absent.contains(call)) count += rule.when.size() * rule.when.size() * kMostBits;
    }
    return count;
}

// Keeps the best of several programs, each proved.
class Choice {
public:
    Choice(Diagrams& diagrams, Diagrams::Node declared) : diagrams_(diagrams), declared_(declared) {}

    Result<void> consider(std::vector<sock_filter> program) {
        CHECK(prove_filter(diagrams_, declared_, program));
        const auto cost = TRY(cost_of(program));
        if (best_.empty() || cost < cost_) {
            best_ = std::move(program);
            cost_ = cost;
        }
        return {};
    }
    [[nodiscard]] const std::vector<sock_filter>& best() const { return best_; }

private:
    Diagrams& diagrams_;
    Diagrams::Node declared_;
    std::vector<sock_filter> best_;
    FilterCost cost_;
};

}  // namespace

Result<FilterCost> cost_of(std::span<const sock_filter> program) {
    FilterCost cost{.steps = 0, .longest = 0, .instructions = program.size()};
    for (const auto& call : syscalls()) {
        if (call.x86_64 < 0) continue;
        const auto steps = TRY(filter_steps(program, {.nr = call.x86_64, .arch = AUDIT_ARCH_X86_64}));
        cost.steps += steps;
        cost.longest = std::max(cost.longest, steps);
    }
    return cost;
}

std::string compiler_version() {
    constexpr int emitter = 1;  // one more for every change of what the rules mean or how they are written
    const auto* const library = seccomp_version();
    return fmt::format("guard {} emitter {} x86_64 libseccomp {}.{}.{}", GUARD_VERSION, emitter,
                       library->major, library->minor, library->micro);
}

Result<std::string> compile_with_libseccomp(const FilterRules& rules, Search search) {
    CHECK(check_names(rules));
    const auto context = TRY(make_context(rules, search));
    CHECK(add_calls(context.get(), rules));
    auto bytes = TRY(exported(context.get()));
    if (rules.on_unknown != rules.on_denied)
        bytes.insert(0, bytes_of(unknown_numbers_first(action_of(rules.on_unknown))));
    return bytes;
}

Result<std::string> compile_filter(const FilterRules& rules) {
    CHECK(check_names(rules));
    Diagrams diagrams;
    const auto declared = TRY(diagram_of(diagrams, rules));
    Choice choice(diagrams, declared);
    CHECK(choice.consider(TRY(emit_filter(diagrams, declared))));
    // What libseccomp makes may be better. Where it is no program that the kernel takes, or means something
    // else, it is not used: for i386 it adds calls that stand for several, and calls them allowed.
    if (conditions_in(rules) > kMostForLibseccomp) return bytes_of(choice.best());
    if (const auto bytes = compile_with_libseccomp(rules))
        if (auto program = filter_program(*bytes)) (void)choice.consider(*std::move(program));
    return bytes_of(choice.best());
}

}  // namespace guard::policies
