#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace guard {

/// What a limit counts.
enum class LimitUnit : std::uint8_t { bytes, microcores, count, weight };

/// One row a limit: its key under [limits] and the file of each cgroup version that holds it. cgroups(7)
struct LimitRow {
    std::string_view name;  ///< the key: "memory"
    LimitUnit unit;
    std::string_view v2_file;
    std::string_view v1_controller, v1_file;
    std::string_view says;  ///< "memory", for sentences
};
/// `cpus` is in millionths of a core: v2 "QUOTA PERIOD", v1 cpu.cfs_quota_us beside cpu.cfs_period_us.
/// `swap`: v2 counts swap alone, v1 memory and swap together. `cpu-weight`: v1 counts in shares of 1024.
/// `io-max` has one entry for each device and direction: "io-max /dev/sda read".
inline constexpr auto kLimits = std::to_array<LimitRow>({
    {"memory", LimitUnit::bytes, "memory.max", "memory", "memory.limit_in_bytes", "memory"},
    {"swap", LimitUnit::bytes, "memory.swap.max", "memory", "memory.memsw.limit_in_bytes", "swap"},
    {"cpus", LimitUnit::microcores, "cpu.max", "cpu", "cpu.cfs_quota_us", "cores"},
    {"cpu-weight", LimitUnit::weight, "cpu.weight", "cpu", "cpu.shares", "share of the cpu"},
    {"pids", LimitUnit::count, "pids.max", "pids", "pids.max", "processes and threads"},
    {"io-weight", LimitUnit::weight, "io.weight", "blkio", "blkio.weight", "share of the disk"},
    {"io-max", LimitUnit::bytes, "io.max", "blkio", "blkio.throttle.{direction}_bps_device",
     "disk traffic a second"},
});

/// One row a limit of a process, setrlimit(2): the index is the kernel's number.
struct RlimitRow {
    int number;
    std::string_view name;  ///< the key under [process] rlimits: "nofile"
    std::string_view says;  ///< as /proc/PID/limits names it: "Max open files"
};
inline constexpr auto kRlimits = std::to_array<RlimitRow>({
    {0, "cpu", "Max cpu time"},
    {1, "fsize", "Max file size"},
    {2, "data", "Max data size"},
    {3, "stack", "Max stack size"},
    {4, "core", "Max core file size"},
    {5, "rss", "Max resident set"},
    {6, "nproc", "Max processes"},
    {7, "nofile", "Max open files"},
    {8, "memlock", "Max locked memory"},
    {9, "as", "Max address space"},
    {10, "locks", "Max file locks"},
    {11, "sigpending", "Max pending signals"},
    {12, "msgqueue", "Max msgqueue size"},
    {13, "nice", "Max nice priority"},
    {14, "rtprio", "Max realtime priority"},
    {15, "rttime", "Max realtime timeout"},
});

/// In a profile's posture: "max", the host's hard limit, resolved by the launch plan. No real limit has this
/// value.
inline constexpr std::uint64_t kHostHardLimit = ~std::uint64_t{0} - 1;

}  // namespace guard
