#include "launcher/outside.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <map>
#include <utility>

#include "base/sys.h"

namespace guard::launcher {
namespace {

using Make = PlannedMount::Make;

std::uint64_t attributes_of(const Mount& mount) {
    std::uint64_t attributes = 0;
    for (const auto& row : kMountGrants)
        if (!mount.grants.all.contains(row.grant)) attributes |= row.attribute;
    return attributes;
}

Error about(const PlannedMount& planned, Error error, std::string fix = "") {
    error.attempt = fmt::format("mount {} on {}", planned.mount.source, planned.place);
    if (error.fix.empty()) error.fix = std::move(fix);
    return error;
}

// A user namespace that only lives until its map has been given to a mount. A process has to be in it while
// the map is written.
Result<UniqueFd> one_id_namespace(uid_t disk_uid, gid_t disk_gid, uid_t host_uid, gid_t host_gid) {
    const std::string what = "make an id map for one owner";
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_NEWUSER | CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    const auto pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid < 0) return fail_errno(what, errno);
    if (pid == 0)
        for (;;) ::pause();
    const UniqueFd holder(pidfd);
    const auto folder = fmt::format("/proc/{}/", pid);
    auto written = sys::write_file(folder + "uid_map", fmt::format("{} {} 1\n", disk_uid, host_uid));
    if (written) written = sys::write_file(folder + "gid_map", fmt::format("{} {} 1\n", disk_gid, host_gid));
    auto space = sys::open(folder + "ns/user", O_RDONLY);
    const auto ended = sys::pidfd_send_signal(holder.get(), SIGKILL);
    siginfo_t info{};
    ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(holder.get()), &info, WEXITED);
    if (!written) return std::unexpected(written.error());
    CHECK(ended);
    return space;
}

/// Id maps by the owner they are for: most containers need one.
using Spaces = std::map<std::pair<uid_t, gid_t>, UniqueFd>;

Result<int> space_for(Spaces& spaces, const LaunchPlan& plan, uid_t uid, gid_t gid) {
    auto& space = spaces[{uid, gid}];
    if (!space)
        space = TRY(
            one_id_namespace(uid, gid, plan.ids.base + plan.payload.uid, plan.ids.base + plan.payload.gid));
    return space.get();
}

Result<UniqueFd> open_source(const PlannedMount& planned) {
    auto source = sys::openat2(AT_FDCWD, planned.mount.source, O_PATH, RESOLVE_NO_MAGICLINKS);
    if (!source) return std::unexpected(about(planned, source.error()));
    const auto status = TRY(sys::fstat(source->get()));
    // What is checked here is what is mounted: a link that is swapped after the plan changes nothing.
    if (planned.place != "/" && planned.mount.idmap &&
        (status.st_uid != planned.source_uid || status.st_gid != planned.source_gid))
        return std::unexpected(
            about(planned, {"", "its owner changed while it was launched", 0, "launch again"}));
    return source;
}

Result<UniqueFd> open_mount(Spaces& spaces, const LaunchPlan& plan, const PlannedMount& planned) {
    const auto source = TRY(open_source(planned));
    auto mount = sys::open_tree(source.get(), "", OPEN_TREE_CLONE | AT_EMPTY_PATH);
    if (!mount) return std::unexpected(about(planned, mount.error()));
    mount_attr attributes{};
    attributes.attr_set = attributes_of(planned.mount);
    attributes.propagation = MS_PRIVATE;  // else what is mounted below on this machine would appear inside
    if (planned.mount.idmap) {
        attributes.attr_set |= MOUNT_ATTR_IDMAP;
        attributes.userns_fd =
            static_cast<std::uint64_t>(TRY(space_for(spaces, plan, planned.source_uid, planned.source_gid)));
    }
    // Grants are taken away here and never given: what the host forbids for a mount stays forbidden.
    if (auto set = sys::mount_setattr(mount->get(), 0, attributes); !set)
        return std::unexpected(
            about(planned, set.error(),
                  planned.mount.idmap && set.error().code == EINVAL
                      ? "this file system cannot map owners: give a folder on ext4, xfs or btrfs, "
                        "or write idmap = false"
                      : ""));
    return mount;
}

// Over a file of the kernel: checked to be the null device, for whoever could put a link there would choose
// what is shown. CVE-2025-31133
Result<UniqueFd> open_null_mount(const Mount& wanted) {
    const auto null = TRY(sys::open("/dev/null", O_PATH | O_NOFOLLOW));
    const auto status = TRY(sys::fstat(null.get()));
    if (!S_ISCHR(status.st_mode) || status.st_rdev != makedev(1, 3))
        return fail("open /dev/null", "it is not the null device",
                    "rm /dev/null; mknod -m 666 /dev/null c 1 3");
    auto mount = TRY(sys::open_tree(null.get(), "", OPEN_TREE_CLONE | AT_EMPTY_PATH));
    mount_attr attributes{};
    attributes.attr_set = attributes_of(wanted);
    attributes.propagation = MS_PRIVATE;
    CHECK(sys::mount_setattr(mount.get(), 0, attributes));
    return mount;
}

// What the caller was given by chrt, nice, taskset or ionice would pass through fork and exec. Only here is
// somebody who may give a niced caller's child its share back. sched(7), ioprio_set(2)
Result<void> reset_scheduling(pid_t child) {
    constexpr std::size_t kMostCores = 8192;
    std::array<unsigned char, kMostCores / 8> every_core{};
    every_core.fill(0xFF);
    const sched_param ordinary{};
    if (::sched_setscheduler(child, SCHED_OTHER, &ordinary) < 0)
        return fail_errno("schedule the command like any other", errno);
    if (::setpriority(PRIO_PROCESS, static_cast<id_t>(child), 0) < 0 &&
        errno != EACCES)  // nice as it is: fine
        return fail_errno("reset the nice value", errno);
    if (::syscall(SYS_sched_setaffinity, child, every_core.size(), every_core.data()) < 0)
        return fail_errno("let the command run on all its cores", errno);
    constexpr int kOneTask = 1, kNoClass = 0;
    if (::syscall(SYS_ioprio_set, kOneTask, child, kNoClass) < 0 && errno != ENOSYS)
        return fail_errno("reset the disk priority", errno);
    return {};
}

}  // namespace

Result<void> make_sources(const LaunchPlan& plan) {
    const auto make = [&plan](const std::string& path) -> Result<void> {
        if (::mkdir(path.c_str(), 0700) < 0) {
            if (errno == EEXIST) return {};
            return fail_errno("make directory " + path, errno);
        }
        if (::lchown(path.c_str(), plan.ids.base + plan.payload.uid, plan.ids.base + plan.payload.gid) < 0)
            return fail_errno("give " + path + " to the container's user", errno);
        return {};
    };
    for (const auto& planned : plan.mounts) {
        if (planned.make != Make::outside) continue;
        const bool data = planned.mount.source == plan.data && plan.make_data;
        if (!data && !plan.profile.service.create.contains(planned.place)) continue;
        const auto slash = planned.mount.source.rfind('/');
        CHECK(sys::make_directories(planned.mount.source.substr(0, slash == 0 ? 1 : slash), 0755));
        CHECK(make(planned.mount.source));
    }
    return {};
}

Result<std::vector<UniqueFd>> open_mounts(const LaunchPlan& plan) {
    std::vector<UniqueFd> mounts(plan.mounts.size());
    Spaces spaces;
    for (std::size_t at = 0; at < mounts.size(); ++at) {
        const auto& planned = plan.mounts[at];
        if (planned.make == Make::outside) mounts[at] = TRY(open_mount(spaces, plan, planned));
        if (planned.make == Make::hidden_file) mounts[at] = TRY(open_null_mount(planned.mount));
    }
    return mounts;
}

Result<void> prepare_child(const LaunchPlan& plan, pid_t child) {
    const auto folder = TRY(sys::open(fmt::format("/proc/{}", child), O_RDONLY | O_DIRECTORY));
    // Before it enters them: a cgroup of v1 without a share of real time refuses a real-time task.
    CHECK(reset_scheduling(child));
    if (plan.own_users) {
        CHECK(sys::write_file(folder.get(), "uid_map", plan.uid_map));
        CHECK(sys::write_file(folder.get(), "gid_map", plan.gid_map));
    }
    if (plan.oom_score_adj)
        CHECK(sys::write_file(folder.get(), "oom_score_adj", std::to_string(*plan.oom_score_adj)));
    for (std::size_t number = 0; number < plan.rlimits.size(); ++number) {
        const auto& wanted = plan.rlimits.at(number);
        rlimit now{};
        const auto resource = static_cast<__rlimit_resource>(number);
        if (!wanted || ::prlimit(child, resource, nullptr, &now) < 0 || wanted->rlim_max <= now.rlim_max)
            continue;
        now.rlim_max = wanted->rlim_max;
        if (::prlimit(child, resource, &now, nullptr) < 0)
            return fail_errno(
                fmt::format("raise the limit `{}` to {}", kRlimits.at(number).name, wanted->rlim_max), errno,
                "write \"max\" for what this host allows; more needs CAP_SYS_RESOURCE");
    }
    return {};
}

}  // namespace guard::launcher
