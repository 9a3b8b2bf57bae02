#pragma once
#include <string>

#include "posture/posture.h"

/// What the table of risks asks about one item of a posture: an item as compare names it ("/srv/www write",
/// "/dev/kvm:rw", "memory"), and the posture that has it. False where it is not there.
namespace guard::grants {

using Question = bool(const std::string& item, const Posture& posture);

// Users, capabilities, namespaces.
Question may_gain_rights, is_user_zero, maps_host_root, maps_host_users, is_host_namespace;
// The filter.
Question is_other_abi, lets_i386_in, is_open_default, is_unknown_eperm, is_narrowed;
// Mounts.
Question shows_runtime_socket, writes_system, writes_system_part, writes_guard_files, writes_host_files,
    binds_proc, writes_cgroup_v1, writes_cgroup_v2, is_cgroup_v1, opens_sysfs, is_minor_reveal, is_write_exec,
    is_suid, is_dev, is_root_write;
// Devices.
Question is_memory_or_disk, is_large_driver, is_other_device, is_any_device, is_fuse;
// Limits, network.
Question is_unlimited, is_for_any, reaches_home, reaches_internet;

}  // namespace guard::grants
