#include "audit/own_rights.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "posture/capability.h"

namespace guard::audit {
namespace {

constexpr auto kNeeded = std::to_array<NeededRight>({
    {CAP_SYS_PTRACE, "namespaces, root, program, limits and descriptors of other users' processes"},
    {CAP_DAC_READ_SEARCH, "launch records of other users, and device files inside containers"},
    {CAP_SYS_ADMIN, "host names and sockets of other namespaces"},
    {CAP_NET_ADMIN, "packet rules, and the kernel's process events"},
    {CAP_BPF, "the content of filters, securebits and Landlock layers"},
    {CAP_PERFMON, "the same"},
});

std::uint64_t kept_mask(Writes writes) {
    std::uint64_t mask = 0;
    for (const auto& row : kNeeded) mask |= 1ULL << static_cast<unsigned>(row.capability);
    if (writes == Writes::any_files) mask |= 1ULL << CAP_DAC_OVERRIDE;
    return mask;
}

Result<void> keep_only(std::uint64_t mask) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) < 0) return fail_errno("read guard's own rights", errno);
    for (std::size_t word = 0; word < sets.size(); ++word) {
        const auto kept = static_cast<std::uint32_t>(mask >> (32 * word));
        sets.at(word).permitted &= kept;
        sets.at(word).effective &= kept;
        sets.at(word).inheritable = 0;
    }
    if (::syscall(SYS_capset, &header, sets.data()) < 0) return fail_errno("drop guard's own rights", errno);
    return {};
}

}  // namespace

std::span<const NeededRight> needed_rights() { return kNeeded; }

Result<void> drop_other_rights(Writes writes) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return fail_errno("lock guard's own rights", errno);
    const auto mask = kept_mask(writes);
    // An exec could bring back what the bounding set holds. Without CAP_SETPCAP it can't be made smaller, and
    // no_new_privs holds all the same.
    for (const auto& row : kCapabilities)
        if ((mask >> static_cast<unsigned>(row.number) & 1U) == 0)
            static_cast<void>(::prctl(PR_CAPBSET_DROP, row.number, 0, 0, 0));
    static_cast<void>(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    return keep_only(mask);
}

}  // namespace guard::audit
