#include "posture/filter/declared.h"

#include <algorithm>
#include <cerrno>

#include "posture/syscall_abi.h"

namespace guard {
namespace {

bool holds(const Cube& cube, const seccomp_data& data, Abi abi) {
    for (std::size_t i = 0; i < cube.mask.size(); ++i)
        if ((((data.args[i] & argument_bits(abi)) ^ cube.value[i]) & cube.mask[i]) != 0) return false;
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
    const auto* const abi = find_abi(data.arch, number);
    if (abi == nullptr || !rules.abis.contains(std::string(abi->name))) return SECCOMP_RET_KILL_PROCESS;
    const auto* const call = find_syscall(abi->abi, number);
    if (call == nullptr) return action_of(rules.on_unknown);
    const auto rule = rules.calls.find(std::string(call->name));
    if (rule != rules.calls.end() && std::ranges::any_of(rule->second.when, [&data, abi](const Cube& cube) {
            return holds(cube, data, abi->abi);
        }))
        return SECCOMP_RET_ALLOW;
    return denied_answer(rules, call->name);
}

}  // namespace guard
