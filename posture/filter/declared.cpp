#include "posture/filter/declared.h"

#include <linux/audit.h>

#include <algorithm>
#include <cerrno>

#include "posture/syscalls.h"

namespace guard {
namespace {

// Numbers from here on are the x32 ABI's, but for the -1 a tracer leaves to skip a call.
constexpr std::uint32_t kX32Bit = 0x4000'0000;

bool holds(const Cube& cube, const seccomp_data& data) {
    for (std::size_t i = 0; i < cube.mask.size(); ++i)
        if (((data.args[i] ^ cube.value[i]) & cube.mask[i]) != 0) return false;
    return true;
}

}  // namespace

std::uint32_t action_of(Denial denial) {
    switch (denial) {
        case Denial::eperm: return SECCOMP_RET_ERRNO | EPERM;
        case Denial::enosys: return SECCOMP_RET_ERRNO | ENOSYS;
        case Denial::kill: return SECCOMP_RET_KILL_PROCESS;
        case Denial::allow_and_log: return SECCOMP_RET_LOG;
    }
    return SECCOMP_RET_KILL_PROCESS;
}

std::uint32_t denied_answer(const FilterRules& rules, std::string_view call) {
    return action_of(rules.absent.contains(std::string(call)) ? Denial::enosys : rules.on_denied);
}

std::uint32_t declared_answer(const FilterRules& rules, const seccomp_data& data) {
    const auto number = static_cast<std::uint32_t>(data.nr);
    if (data.arch != AUDIT_ARCH_X86_64) return SECCOMP_RET_KILL_PROCESS;
    if (number >= kX32Bit && number != ~0U) return SECCOMP_RET_KILL_PROCESS;
    const auto* call = find_syscall(data.nr);
    if (call == nullptr) return action_of(rules.on_unknown);
    const auto rule = rules.calls.find(std::string(call->name));
    if (rule != rules.calls.end() &&
        std::ranges::any_of(rule->second.when, [&data](const Cube& cube) { return holds(cube, data); }))
        return SECCOMP_RET_ALLOW;
    return denied_answer(rules, call->name);
}

}  // namespace guard
