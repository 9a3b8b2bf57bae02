#pragma once
#include <linux/capability.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace guard {

/// Bit n = capability n, as in the Cap lines of proc_pid_status(5).
struct CapabilitySet {
    std::uint64_t mask = 0;
    bool operator==(const CapabilitySet&) const = default;
};

/// One row a capability; the index is the kernel's number. capabilities(7)
struct CapabilityRow {
    int number;
    std::string_view name;   ///< as the kernel and profiles write it: "CAP_NET_ADMIN"
    std::string_view gives;  ///< in words an owner understands
};
inline constexpr auto kCapabilities = std::to_array<CapabilityRow>({
    {CAP_CHOWN, "CAP_CHOWN", "give any file to any user"},
    {CAP_DAC_OVERRIDE, "CAP_DAC_OVERRIDE", "read and write any file"},
    {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH",
     "read any file and open files by handle, past every directory"},
    {CAP_FOWNER, "CAP_FOWNER", "act as the owner of any file"},
    {CAP_FSETID, "CAP_FSETID", "keep set-user-id bits when a file changes"},
    {CAP_KILL, "CAP_KILL", "signal any process"},
    {CAP_SETGID, "CAP_SETGID", "take any group"},
    {CAP_SETUID, "CAP_SETUID", "take any user"},
    {CAP_SETPCAP, "CAP_SETPCAP", "change capability sets and securebits"},
    {CAP_LINUX_IMMUTABLE, "CAP_LINUX_IMMUTABLE", "set files immutable or append-only"},
    {CAP_NET_BIND_SERVICE, "CAP_NET_BIND_SERVICE", "listen on ports below 1024"},
    {CAP_NET_BROADCAST, "CAP_NET_BROADCAST", "broadcast and listen to multicast"},
    {CAP_NET_ADMIN, "CAP_NET_ADMIN", "change networks, routes and firewalls"},
    {CAP_NET_RAW, "CAP_NET_RAW", "send packets with any sender and read raw ones"},
    {CAP_IPC_LOCK, "CAP_IPC_LOCK", "keep any amount of memory from being swapped out"},
    {CAP_IPC_OWNER, "CAP_IPC_OWNER", "use any System V shared memory"},
    {CAP_SYS_MODULE, "CAP_SYS_MODULE", "load code into the kernel"},
    {CAP_SYS_RAWIO, "CAP_SYS_RAWIO", "talk to hardware and read all memory"},
    {CAP_SYS_CHROOT, "CAP_SYS_CHROOT", "change the root directory"},
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "read and change any process"},
    {CAP_SYS_PACCT, "CAP_SYS_PACCT", "switch process accounting"},
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN", "mount, enter namespaces and most of what root can"},
    {CAP_SYS_BOOT, "CAP_SYS_BOOT", "reboot the machine or start another kernel"},
    {CAP_SYS_NICE, "CAP_SYS_NICE", "raise priorities and move memory"},
    {CAP_SYS_RESOURCE, "CAP_SYS_RESOURCE", "go over resource limits"},
    {CAP_SYS_TIME, "CAP_SYS_TIME", "set the clock of the machine"},
    {CAP_SYS_TTY_CONFIG, "CAP_SYS_TTY_CONFIG", "hang up terminals"},
    {CAP_MKNOD, "CAP_MKNOD", "make device files"},
    {CAP_LEASE, "CAP_LEASE", "take leases on files"},
    {CAP_AUDIT_WRITE, "CAP_AUDIT_WRITE", "write audit records"},
    {CAP_AUDIT_CONTROL, "CAP_AUDIT_CONTROL", "switch auditing off"},
    {CAP_SETFCAP, "CAP_SETFCAP", "give capabilities to files"},
    {CAP_MAC_OVERRIDE, "CAP_MAC_OVERRIDE", "ignore a security module"},
    {CAP_MAC_ADMIN, "CAP_MAC_ADMIN", "change a security module's policy"},
    {CAP_SYSLOG, "CAP_SYSLOG", "read the kernel's log and addresses"},
    {CAP_WAKE_ALARM, "CAP_WAKE_ALARM", "wake the machine up"},
    {CAP_BLOCK_SUSPEND, "CAP_BLOCK_SUSPEND", "keep the machine awake"},
    {CAP_AUDIT_READ, "CAP_AUDIT_READ", "read the audit log"},
    {CAP_PERFMON, "CAP_PERFMON", "watch every process and the kernel"},
    {CAP_BPF, "CAP_BPF", "load BPF programs into the kernel"},
    {CAP_CHECKPOINT_RESTORE, "CAP_CHECKPOINT_RESTORE", "choose process ids and restore processes"},
});
static_assert(std::ranges::is_sorted(kCapabilities, {}, &CapabilityRow::number));
static_assert(kCapabilities.back().number == static_cast<int>(kCapabilities.size()) - 1,
              "a number is missing");

/// The number of a name, or none. capabilities(7)
[[nodiscard]] constexpr std::optional<int> capability_number(std::string_view name) {
    const auto* const row = std::ranges::find(kCapabilities, name, &CapabilityRow::name);
    if (row == kCapabilities.end()) return std::nullopt;
    return row->number;
}

/// "CAP_NET_ADMIN", or "capability 45" for one newer than this table.
[[nodiscard]] inline std::string capability_name(int number) {
    if (number >= 0 && number < static_cast<int>(kCapabilities.size()))
        return std::string(kCapabilities.at(static_cast<std::size_t>(number)).name);
    return "capability " + std::to_string(number);
}

}  // namespace guard
