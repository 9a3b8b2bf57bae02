#include "base/process.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>

#include "base/proc_stat.h"
#include "base/sys.h"

namespace guard {
namespace {

constexpr unsigned long kNsGetId = 0x8008B70D;  // _IOR(0xb7, 13, __u64), newer than Debian 12's headers
constexpr long kPidFsMagic = 0x50494446;        // "PIDF": inode numbers of pidfds are unique only there

std::uint64_t pidfd_inode(int pidfd) {
    struct statfs fs{};
    if (::fstatfs(pidfd, &fs) < 0 || fs.f_type != kPidFsMagic) return 0;
    const auto status = sys::fstat(pidfd);
    return status ? status->st_ino : 0;
}

}  // namespace

Result<std::string> boot_id() {
    auto text = TRY(sys::read_file("/proc/sys/kernel/random/boot_id"));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

Result<UniqueFd> open_proc() {
    auto proc = TRY(sys::open("/proc", O_RDONLY | O_DIRECTORY));
    struct statfs fs{};
    if (::fstatfs(proc.get(), &fs) < 0) return fail_errno("look at /proc", errno);
    if (fs.f_type != PROC_SUPER_MAGIC)
        return fail("read /proc", "it is not the proc file system", "mount -t proc proc /proc");
    return proc;
}

Result<ProcessHandle> open_process(pid_t pid) {
    ProcessHandle handle;
    handle.pidfd = TRY(sys::pidfd_open(pid));
    const auto folder = TRY(sys::open("/proc/" + std::to_string(pid), O_RDONLY | O_DIRECTORY));
    const auto stat = TRY(sys::read_file(folder.get(), "stat"));
    // The pidfd was there first: while it still answers, the folder is of the same process.
    // EPERM is an answer, too: who may not signal it may still know that it is there.
    if (const auto there = sys::pidfd_send_signal(handle.pidfd.get(), 0);
        !there && there.error().code != EPERM)
        return std::unexpected(there.error());
    handle.id = {pid, TRY(parse_proc_stat(stat)).start, pidfd_inode(handle.pidfd.get())};
    return handle;
}

Result<ProcessHandle> open_process(const TaskId& id) {
    if (id.pid <= 0) return fail_errno("open process " + std::to_string(id.pid), ESRCH);
    auto handle = open_process(id.pid);
    // One that lives and is not in /proc is hidden by hidepid, and may be the one. proc(5)
    if (!handle && handle.error().code == ENOENT && sys::pidfd_open(id.pid))
        return fail_errno("see process " + std::to_string(id.pid) + " in /proc", EACCES);
    const bool ended = !handle && (handle.error().code == ENOENT || handle.error().code == ESRCH);
    if (ended || (handle && handle->id != id))
        return fail_errno("open process " + std::to_string(id.pid), ESRCH);
    return handle;
}

Result<NamespaceId> namespace_id(int ns_fd) {
    std::uint64_t id = 0;
    if (::ioctl(ns_fd, kNsGetId, &id) == 0) return NamespaceId{id, true};
    const auto status = TRY(sys::fstat(ns_fd));
    return NamespaceId{status.st_ino, false};
}

}  // namespace guard
