#include "posture/power.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "posture/words.h"

namespace guard {
namespace {

using enum Power;

constexpr auto kPowers = std::to_array<PowerRow>({
    {little, "little", "nothing of note beyond its own user's files and processes"},
    {settings, "settings", "settings that all programs share: clock, logs, priorities"},
    {network, "network", "networks, firewall rules and other programs' packets"},
    {programs, "programs", "other users' programs"},
    {files, "files", "other users' files"},
    {machine, "whole machine", "everything, if it is taken over"},
});
static_assert(std::ranges::is_sorted(kPowers, {}, &PowerRow::power));
static_assert(kPowers.size() == static_cast<std::size_t>(machine) + 1);

constexpr std::string_view kPermitted = "caps.permitted";

// Permitted, not effective: what is permitted becomes effective whenever the process wants. capabilities(7)
// The first row of the farthest reach is the reason that is told.
constexpr auto kRights = std::to_array<RightRow>({
    {kPermitted, "CAP_SYS_ADMIN", machine, "mounts, and enters whatever it likes (SYS_ADMIN)"},
    {kPermitted, "CAP_SYS_MODULE", machine, "loads code into the kernel (SYS_MODULE)"},
    {kPermitted, "CAP_SYS_RAWIO", machine, "talks to hardware and reads all memory (SYS_RAWIO)"},
    {kPermitted, "CAP_SYS_PTRACE", machine, "reads and changes every program (SYS_PTRACE)"},
    {kPermitted, "CAP_SETUID", machine, "can become any user, root too (SETUID)"},
    {kPermitted, "CAP_SETGID", machine, "can join any group, root's too (SETGID)"},
    {kPermitted, "CAP_SETFCAP", machine, "can give programs any right (SETFCAP)"},
    {kPermitted, "CAP_DAC_OVERRIDE", machine, "reads and writes every file (DAC_OVERRIDE)"},
    {kPermitted, "CAP_CHOWN", machine, "can take every file (CHOWN)"},
    {kPermitted, "CAP_FOWNER", machine, "acts as the owner of every file (FOWNER)"},
    {kPermitted, "CAP_MKNOD", machine, "makes device files: disks past their file systems (MKNOD)"},
    {kPermitted, "CAP_BPF", machine, "loads programs into the kernel (BPF)"},
    {kPermitted, "CAP_SYS_BOOT", machine, "can start another kernel (SYS_BOOT)"},
    {kPermitted, "CAP_MAC_ADMIN", machine, "changes the rules of the security module (MAC_ADMIN)"},
    {kPermitted, "CAP_MAC_OVERRIDE", machine, "ignores the security module (MAC_OVERRIDE)"},
    {"identity.uid", "0", machine, "is root, who owns the system's files"},
    {kPermitted, "CAP_DAC_READ_SEARCH", files, "reads every file (DAC_READ_SEARCH)"},
    {kPermitted, "CAP_LINUX_IMMUTABLE", files, "locks and unlocks files (LINUX_IMMUTABLE)"},
    {kPermitted, "CAP_LEASE", files, "can hold up whoever opens a file (LEASE)"},
    {kPermitted, "CAP_PERFMON", programs, "watches every program and the kernel (PERFMON)"},
    {kPermitted, "CAP_CHECKPOINT_RESTORE", programs, "sees the memory maps of programs (CHECKPOINT_RESTORE)"},
    {kPermitted, "CAP_KILL", programs, "ends any program (KILL)"},
    {kPermitted, "CAP_IPC_OWNER", programs, "uses any shared memory (IPC_OWNER)"},
    {kPermitted, "CAP_SYS_CHROOT", programs, "changes its root directory (SYS_CHROOT)"},
    {kPermitted, "CAP_NET_ADMIN", network, "changes networks (NET_ADMIN)"},
    {kPermitted, "CAP_NET_RAW", network, "reads and forges packets (NET_RAW)"},
    {kPermitted, "CAP_AUDIT_CONTROL", settings, "switches auditing off (AUDIT_CONTROL)"},
    {kPermitted, "CAP_SYSLOG", settings, "reads the kernel's log (SYSLOG)"},
    {kPermitted, "CAP_SYS_TIME", settings, "sets the clock (SYS_TIME)"},
    {kPermitted, "CAP_SYS_RESOURCE", settings, "goes over its limits (SYS_RESOURCE)"},
    {kPermitted, "CAP_SYS_NICE", settings, "changes priorities (SYS_NICE)"},
    {"identity.groups", "group docker", machine, "its group docker can make it root"},
    {"identity.groups", "group lxd", machine, "its group lxd can make it root"},
    {"identity.groups", "group incus-admin", machine, "its group incus-admin can make it root"},
    {"identity.groups", "group libvirt", machine, "its group libvirt can make it root"},
    {"identity.groups", "group disk", machine, "its group disk reads and writes the disks"},
    {"identity.groups", "group kmem", machine, "its group kmem reads the memory"},
    {"identity.groups", "group shadow", files, "its group shadow reads the passwords"},
    {"identity.groups", "group adm", settings, "its group adm reads the logs"},
    {"network.listen", "docker.sock", machine, "its socket makes anyone root"},
    {"network.listen", "containerd.sock", machine, "its socket makes anyone root"},
    {"network.listen", "podman.sock", machine, "its socket makes anyone root"},
    {"network.listen", "crio.sock", machine, "its socket makes anyone root"},
    {"network.listen", "libvirt-sock", machine, "its socket makes anyone root"},
    {"network.listen", "lxd/unix.socket", machine, "its socket makes anyone root"},
    {"network.listen", "incus/unix.socket", machine, "its socket makes anyone root"},
    {"network.listen", ".X11-unix/X", programs, "whoever connects sees all keys and windows"},
});

constexpr std::string_view kControlSockets = "network.listen";

bool fits(const RightRow& row, const Change& grant) {
    if (row.field != grant.field) return false;
    if (row.field == kControlSockets) return grant.item.find(row.item) != std::string::npos;
    return row.item == grant.item || row.item == grant.to;
}

bool in_machines_users(const std::vector<Change>& grants) {
    return std::ranges::any_of(grants, [](const Change& grant) {
        return grant.field == "namespaces" && grant.item == "user" && grant.to == in_words(Relation{});
    });
}

// All that matters of the table together: then naming one would hide the others.
bool is_full_root(const std::vector<Change>& grants) {
    const auto holds = [&grants](const RightRow& row) {
        return row.field != kPermitted || row.item == "CAP_SYS_RESOURCE" ||
               std::ranges::any_of(grants, [&row](const Change& grant) { return fits(row, grant); });
    };
    return std::ranges::all_of(kRights, holds);
}

}  // namespace

std::span<const PowerRow> powers() { return kPowers; }
std::string_view power_name(Power reach) { return kPowers.at(static_cast<std::size_t>(reach)).name; }
std::span<const RightRow> right_rows() { return kRights; }

bool is_control_socket(std::string_view path) {
    return std::ranges::any_of(kRights, [path](const RightRow& row) {
        return row.field == kControlSockets && path.find(row.item) != std::string_view::npos;
    });
}

FarthestPower farthest_power(const std::vector<Change>& grants) {
    const bool over_machine = in_machines_users(grants);
    const RightRow* farthest = nullptr;
    for (const auto& row : kRights) {
        if (row.field == kPermitted && !over_machine) continue;
        // Whoever's socket gives everything away is told first: that is worse than holding it alone.
        const bool told_first = farthest != nullptr && row.field == kControlSockets &&
                                farthest->field != kControlSockets && row.power == farthest->power;
        if (farthest != nullptr && row.power <= farthest->power && !told_first) continue;
        if (std::ranges::any_of(grants, [&row](const Change& grant) { return fits(row, grant); }))
            farthest = &row;
    }
    if (farthest == nullptr) return {};
    if (farthest->field == kPermitted && is_full_root(grants))
        return {machine, "holds every right on this machine"};
    return {farthest->power, std::string(farthest->why)};
}

}  // namespace guard
