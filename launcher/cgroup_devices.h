#pragma once
#include <linux/bpf.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "posture/order.h"

/// Which devices a container may open: the same rules as lines for v1 and as a BPF program for v2.
namespace guard::launcher {

struct DeviceRule {
    char type = 'c';  ///< 'c' or 'b'
    std::uint32_t major = 0;
    std::optional<std::uint32_t> minor;  ///< none: all of that major
    bool write = true;                   ///< reading is always granted, making a node never
    bool operator==(const DeviceRule&) const = default;
};

/// The harmless ones (null zero full random urandom tty ptmx and pseudo-terminals), then those of the
/// posture:
/// "/dev/dri/renderD128:rw". Fails where one is no device of this host.
[[nodiscard]] Result<std::vector<DeviceRule>> device_rules(const Grants<std::string>& declared);

/// "c 1:3 rw", as devices.allow wants it. cgroup v1 devices.rst
[[nodiscard]] std::string device_line(const DeviceRule& rule);

/// A program of type BPF_PROG_TYPE_CGROUP_DEVICE that returns 1 for what a rule grants and else 0. bpf(2)
[[nodiscard]] std::vector<bpf_insn> device_program(const std::vector<DeviceRule>& rules);
/// Loads it and attaches it to the cgroup `leaf`; programs above it keep their say. Fails with the errno of
/// bpf(2).
[[nodiscard]] Result<void> attach_device_program(const std::vector<bpf_insn>& program, int leaf);

}  // namespace guard::launcher
