#include "launcher/landlock.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <map>

namespace guard::launcher {
namespace {

// Newer than Debian 12's headers; the bits are the kernel's for ever.
constexpr std::uint64_t kRefer = 1ULL << 13U, kTruncate = 1ULL << 14U, kIoctlDev = 1ULL << 15U;
constexpr std::uint64_t kBindTcp = 1ULL << 0U;
constexpr std::uint64_t kScopeAbstractSocket = 1ULL << 0U, kScopeSignal = 1ULL << 1U;

constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
// Renames from one directory to another need REFER; without it they fail with EXDEV, which programs take for
// another disk.
constexpr std::uint64_t kWrite =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_SYM | kRefer | kTruncate;
constexpr std::uint64_t kDeviceFile = LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate | kIoctlDev;

// One row a version: what it adds, and how long its ruleset attribute is.
struct AbiRow {
    int abi;
    std::uint64_t files, network, scoped;
    std::size_t attribute_size;
    std::string_view adds;
};
constexpr auto kAbis = std::to_array<AbiRow>({
    {1, (1ULL << 13U) - 1, 0, 0, 8, "file rules"},
    {2, kRefer, 0, 0, 8, "renames between directories"},
    {3, kTruncate, 0, 0, 8, "cutting files off"},
    {4, 0, kBindTcp, 0, 16, "ports that it may listen on"},
    {5, kIoctlDev, 0, 0, 16, "commands to devices"},
    {6, 0, 0, kScopeAbstractSocket | kScopeSignal, 24, "signals and abstract sockets to the outside"},
});
static_assert(std::ranges::is_sorted(kAbis, {}, &AbiRow::abi));

// Places whose mounts are needed whole, not by their grants: what is written there is the kernel's own, and
// its read-only parts are mounted so.
struct KernelPlace {
    std::string_view place;
    std::uint64_t access;
};
constexpr auto kKernelPlaces = std::to_array<KernelPlace>({
    {"/proc", LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate},
    {"/dev", kDeviceFile},
});

std::uint64_t access_of(const Mount& mount) {
    std::uint64_t access = 0;
    if (mount.grants.all.contains(MountGrant::write)) access |= kWrite;
    if (mount.grants.all.contains(MountGrant::exec)) access |= LANDLOCK_ACCESS_FS_EXECUTE;
    if (mount.grants.all.contains(MountGrant::dev)) access |= kIoctlDev;
    return access;
}

std::vector<std::uint16_t> ports_of(const Posture& posture) {
    std::set<std::uint16_t> ports;
    if (const auto* listen = value_of(posture.network.listen)) {
        for (const auto& entry : listen->all) {
            if (!entry.ends_with("/tcp")) continue;
            unsigned first = 0, last = 0;
            const auto* const end = entry.data() + entry.size();
            const auto got = std::from_chars(entry.data(), end, first);
            last = first;
            if (got.ec == std::errc{} && got.ptr != end && *got.ptr == '-')
                std::from_chars(got.ptr + 1, end, last);
            for (unsigned port = first; port != 0 && port <= last && port <= 65535; ++port)
                ports.insert(static_cast<std::uint16_t>(port));
        }
    }
    return {ports.begin(), ports.end()};
}

void add_declared(std::map<std::string, std::uint64_t>& access, const Known<Grants<std::string>>& paths,
                  std::uint64_t right) {
    if (const auto* declared = value_of(paths))
        for (const auto& path : declared->all) access[path] |= right;
}

}  // namespace

int landlock_abi() {
    const auto abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? static_cast<int>(abi) : 0;
}

LandlockPlan plan_landlock(const Posture& posture, const MountTree& mounts, int abi) {
    LandlockPlan plan;
    plan.enabled = abi > 0;
    for (const auto& row : kAbis) {
        if (row.abi > abi) {
            plan.gaps.emplace_back(row.adds);
            continue;
        }
        plan.files |= row.files;
        plan.network |= row.network;
        plan.scoped |= row.scoped;
        plan.attribute_size = row.attribute_size;
    }
    std::map<std::string, std::uint64_t> access{{"/", kRead}};
    for (const auto& [place, mount] : mounts)
        if (mount.type != "proc") access[place] |= access_of(mount);
    for (const auto& row : kKernelPlaces)
        if (mounts.contains(std::string(row.place)) || row.place == "/dev")
            access[std::string(row.place)] |= row.access;
    add_declared(access, posture.landlock.read, kRead);
    add_declared(access, posture.landlock.write, kWrite);
    add_declared(access, posture.landlock.execute, LANDLOCK_ACCESS_FS_EXECUTE);
    for (const auto& [place, rights] : access)
        if ((rights & plan.files) != 0) plan.rules.push_back({place, rights & plan.files});
    if (plan.network != 0) plan.bind_ports = ports_of(posture);
    return plan;
}

}  // namespace guard::launcher
