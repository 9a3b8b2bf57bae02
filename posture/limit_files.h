#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "posture/limit.h"
#include "posture/order.h"

/// A limit and the text of the cgroup file that holds it, in both directions; by the rows of kLimits.
/// cgroups(7)
namespace guard {

enum class CgroupFiles : std::uint8_t { v1, v2 };

using Limits = Named<Ceiling<std::uint64_t>>;

/// One file and what stands in it.
struct LimitFile {
    std::string controller;  ///< v1: whose hierarchy; v2: which controller must be enabled
    std::string file, text;
};
/// Device path -> "MAJOR:MINOR", for io-max.
using DeviceNumbers = std::map<std::string, std::string>;

/// What to write, in this order, so that the limit `item` ("memory", "io-max /dev/sda read") is in force.
/// `all` is for limits that are told together (v1: swap counts memory too). Fails where this version of
/// cgroups can't say it, or a device has no number.
[[nodiscard]] Result<std::vector<LimitFile>> limit_files(CgroupFiles version, const std::string& item,
                                                         const Limits& all,
                                                         const DeviceNumbers& devices = {});

/// The row of kLimits for an item: its key is the part before the first blank. Null for an unknown one.
[[nodiscard]] const LimitRow* limit_row(std::string_view item);

/// Limits as the kernel will keep and tell them: memory in whole pages, cores in whole microseconds of a
/// period, weights of v1 in their coarser steps. What audit reads is equal to this, not to what was written.
[[nodiscard]] Limits kept_limits(CgroupFiles version, const Limits& limits, std::uint64_t page_size = 4096);

/// The files that `limits_in` wants to see.
[[nodiscard]] std::vector<LimitFile> limit_file_names(CgroupFiles version);
/// The limits that stand in the files of one leaf: file name -> its text. A file that is missing gives no
/// entry. An io-weight of 100, the kernel's own, is no limit. `devices` names the numbers of io-max; one
/// without a name keeps its number.
[[nodiscard]] Limits limits_in(CgroupFiles version, const std::map<std::string, std::string>& files,
                               const DeviceNumbers& devices = {});

/// "0-1,4" <-> {0, 1, 4}, as cpuset.cpus writes it. Fails on anything else.
[[nodiscard]] Result<Grants<std::uint32_t>> parse_cpu_list(std::string_view text);
[[nodiscard]] std::string format_cpu_list(const Grants<std::uint32_t>& cpus);

}  // namespace guard
