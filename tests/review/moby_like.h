#pragma once
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "posture/syscalls.h"

namespace guard::support {

/// A seccomp profile of the size and shape that container runtimes ship: some 330 calls, three ABIs, clone
/// under a mask, personality by value, socket by bounds, groups behind capabilities. It is this project's
/// own.
inline nlohmann::json moby_like() {
    using nlohmann::json;
    static const std::set<std::string_view> kKept{"io_uring_setup",
                                                  "io_uring_enter",
                                                  "io_uring_register",
                                                  "userfaultfd",
                                                  "bpf",
                                                  "perf_event_open",
                                                  "keyctl",
                                                  "add_key",
                                                  "request_key",
                                                  "kexec_load",
                                                  "kexec_file_load",
                                                  "init_module",
                                                  "finit_module",
                                                  "delete_module",
                                                  "mount",
                                                  "umount2",
                                                  "umount",
                                                  "pivot_root",
                                                  "move_mount",
                                                  "open_tree",
                                                  "fsopen",
                                                  "fsmount",
                                                  "fsconfig",
                                                  "fspick",
                                                  "mount_setattr",
                                                  "setns",
                                                  "unshare",
                                                  "clone",
                                                  "clone3",
                                                  "personality",
                                                  "socket",
                                                  "reboot",
                                                  "swapon",
                                                  "swapoff",
                                                  "acct",
                                                  "settimeofday",
                                                  "clock_settime",
                                                  "clock_settime64",
                                                  "stime",
                                                  "quotactl",
                                                  "quotactl_fd",
                                                  "syslog",
                                                  "lookup_dcookie",
                                                  "nfsservctl",
                                                  "iopl",
                                                  "ioperm",
                                                  "vm86",
                                                  "vm86old",
                                                  "ptrace",
                                                  "process_vm_readv",
                                                  "process_vm_writev",
                                                  "pidfd_getfd",
                                                  "kcmp",
                                                  "open_by_handle_at",
                                                  "fanotify_init",
                                                  "chroot",
                                                  "create_module",
                                                  "get_kernel_syms",
                                                  "query_module",
                                                  "uselib",
                                                  "ustat",
                                                  "sysfs",
                                                  "_sysctl",
                                                  "sethostname",
                                                  "setdomainname",
                                                  "mbind",
                                                  "set_mempolicy",
                                                  "get_mempolicy",
                                                  "move_pages",
                                                  "migrate_pages",
                                                  "vhangup",
                                                  "bdflush"};
    auto names = json::array();
    for (const auto& row : syscalls())
        if (!kKept.contains(row.name)) names.push_back(row.name);
    const auto personality = [](std::uint64_t value) {
        return json{{"names", {"personality"}},
                    {"action", "SCMP_ACT_ALLOW"},
                    {"args", {{{"index", 0}, {"value", value}, {"op", "SCMP_CMP_EQ"}}}}};
    };
    const auto socket = [](std::uint64_t bound, const char* op) {
        return json{{"names", {"socket"}},
                    {"action", "SCMP_ACT_ALLOW"},
                    {"args", {{{"index", 0}, {"value", bound}, {"op", op}}}}};
    };
    const auto gated = [](json calls, const char* capability) {
        return json{{"names", std::move(calls)},
                    {"action", "SCMP_ACT_ALLOW"},
                    {"includes", {{"caps", {capability}}}}};
    };
    json made{
        {"defaultAction", "SCMP_ACT_ERRNO"},
        {"defaultErrnoRet", 1},
        {"archMap",
         {{{"architecture", "SCMP_ARCH_X86_64"}, {"subArchitectures", {"SCMP_ARCH_X86", "SCMP_ARCH_X32"}}},
          {{"architecture", "SCMP_ARCH_AARCH64"}, {"subArchitectures", {"SCMP_ARCH_ARM"}}}}}};
    made["syscalls"] = {
        {{"names", names}, {"action", "SCMP_ACT_ALLOW"}},
        {{"names", {"ptrace"}}, {"action", "SCMP_ACT_ALLOW"}, {"includes", {{"minKernel", "4.8"}}}},
        socket(37, "SCMP_CMP_LE"),
        socket(39, "SCMP_CMP_EQ"),
        socket(41, "SCMP_CMP_GE"),
        personality(0),
        personality(8),
        personality(0x20000),
        personality(0x20008),
        personality(0xffffffff),
        {{"names", {"clone"}},
         {"action", "SCMP_ACT_ALLOW"},
         {"args", {{{"index", 0}, {"value", 0x7e020000}, {"valueTwo", 0}, {"op", "SCMP_CMP_MASKED_EQ"}}}},
         {"excludes", {{"caps", {"CAP_SYS_ADMIN"}}, {"arches", {"s390", "s390x"}}}}},
        {{"names", {"clone3"}},
         {"action", "SCMP_ACT_ERRNO"},
         {"errnoRet", 38},
         {"excludes", {{"caps", {"CAP_SYS_ADMIN"}}}}},
        gated({"mount", "umount2", "unshare", "setns", "clone", "clone3", "bpf", "quotactl", "sethostname",
               "syslog"},
              "CAP_SYS_ADMIN"),
        gated({"chroot"}, "CAP_SYS_CHROOT"),
        gated({"reboot"}, "CAP_SYS_BOOT"),
        gated({"init_module", "finit_module", "delete_module"}, "CAP_SYS_MODULE"),
        {{"names", {"sync_file_range2", "arm_sync_file_range"}},
         {"action", "SCMP_ACT_ALLOW"},
         {"includes", {{"arches", {"arm", "arm64"}}}}},
    };
    return made;
}

/// The same with the changes that a reviewer most has to see: io_uring and userfaultfd allowed, CLONE_NEWUSER
/// out of the mask of clone, another personality, and a lower bound of socket families.
inline nlohmann::json moby_changed() {
    auto made = moby_like();
    auto& entries = made["syscalls"];
    for (const auto* name : {"io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd"})
        entries[0]["names"].push_back(name);
    for (auto& entry : entries) {
        const auto name = entry["names"][0];
        if (!entry.contains("args")) continue;
        auto& test = entry["args"][0];
        if (name == "clone") test["value"] = 0x6e020000;
        if (name == "personality" && test["value"] == 8) test["value"] = 0x40000;
        if (name == "socket" && test["value"] == 37) test["value"] = 15;
    }
    return made;
}

}  // namespace guard::support
