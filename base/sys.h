#pragma once
#include <linux/openat2.h>
#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"

struct clone_args;
struct mount_attr;

/// One wrapper a system call, named as its man page: makes the call, retries EINTR where it may be retried,
/// turns -1 into an Error, decides nothing. Every descriptor returned is close-on-exec.
namespace guard::sys {

/// Opens `path` below `dir`. Fails with the errno of openat(2).
[[nodiscard]] Result<UniqueFd> openat(int dir, const std::string& path, int flags, mode_t mode = 0);
/// The same from the working directory or, for an absolute path, from the root.
[[nodiscard]] Result<UniqueFd> open(const std::string& path, int flags, mode_t mode = 0);
/// Opens with `resolve` = RESOLVE_... Fails with the errno of openat2(2).
[[nodiscard]] Result<UniqueFd> openat2(int dir, const std::string& path, std::uint64_t flags,
                                       std::uint64_t resolve, mode_t mode = 0);
/// Opens below `root` as if it were "/": no link and no ".." leads out. openat2(2) RESOLVE_IN_ROOT
[[nodiscard]] inline Result<UniqueFd> open_in_root(int root, const std::string& path, std::uint64_t flags) {
    return openat2(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/// Everything up to end of file. Fails with the errno of openat(2) or read(2), or where there is more than
/// `most`.
[[nodiscard]] Result<std::string> read_file(int dir, const std::string& path, std::size_t most = 16U << 20U);
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t most = 16U << 20U);
[[nodiscard]] Result<std::string> read_all(int fd, const std::string& name, std::size_t most = 16U << 20U);
/// A file of /proc that the kernel prints as one piece (status, stat, cgroup, limits, environ): what does not
/// fill the buffer is all of it, and its end is not asked for. A list (maps, mountinfo, net/tcp) comes in
/// pieces as the kernel pleases: read_file. Fails as read_file does.
[[nodiscard]] Result<std::string> read_record(int dir, const std::string& path);
/// The same of an open file, from its beginning, whatever was read of it before.
[[nodiscard]] Result<std::string> pread_record(int fd, const std::string& name);
/// One write of all of `text` to an existing file, as /proc and cgroupfs want it. Fails with the errno of
/// write(2).
[[nodiscard]] Result<void> write_file(int dir, const std::string& path, std::string_view text);
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view text);
/// Writes all of `bytes`, in as many calls as it takes.
[[nodiscard]] Result<void> write_all(int fd, std::string_view bytes, const std::string& name);
/// Replaces `path` in one step: a temporary file beside it, fsync, rename(2), fsync of the directory. A crash
/// leaves the old file or the new one. `sync` may be left out on a tmpfs, where there is nothing to sync to.
enum class Sync : bool { no, yes };
[[nodiscard]] Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode,
                                        Sync sync);

/// The target of a link. readlinkat(2)
[[nodiscard]] Result<std::string> readlinkat(int dir, const std::string& path);
[[nodiscard]] Result<struct stat> fstat(int fd);
[[nodiscard]] Result<struct stat> fstatat(int dir, const std::string& path, int flags = 0);
/// What `mask` (STATX_...) asks for, without waiting for a file server. Follows links. statx(2)
[[nodiscard]] Result<struct statx> statx(int dir, const std::string& path, unsigned mask);
/// Names in a directory but for "." and "..", sorted. Fails with the errno of openat(2) or getdents64(2).
[[nodiscard]] Result<std::vector<std::string>> list_directory(int dir, const std::string& path);
/// The same of an open one, called `name` in an error, that nothing was read of yet.
[[nodiscard]] Result<std::vector<std::string>> names_in(int dir, const std::string& name);
/// Makes `path` and what is missing above it. Fails with the errno of mkdir(2), but for EEXIST on a
/// directory.
[[nodiscard]] Result<void> make_directories(const std::string& path, mode_t mode);

/// A pidfd of `pid`. pidfd_open(2)
[[nodiscard]] Result<UniqueFd> pidfd_open(pid_t pid);
/// Sends `signal` to what the pidfd stands for, with `value` as si_value where it is not 0. Fails with ESRCH
/// where the process is gone. pidfd_send_signal(2)
[[nodiscard]] Result<void> pidfd_send_signal(int pidfd, int signal, int value = 0);
/// Waits up to `timeout_ms` (-1: for ever) for the process to end; true when it has. poll(2)
[[nodiscard]] Result<bool> pidfd_wait(int pidfd, int timeout_ms);

// The mount API of 5.2 and 5.12. fsopen(2), fsconfig(2), fsmount(2), open_tree(2), move_mount(2),
// mount_setattr(2)
[[nodiscard]] Result<UniqueFd> fsopen(const std::string& type);
[[nodiscard]] Result<UniqueFd> fsmount(int fs, unsigned attributes);
[[nodiscard]] Result<UniqueFd> open_tree(int dir, const std::string& path, unsigned flags);
[[nodiscard]] Result<void> mount_setattr(int fd, unsigned flags, const mount_attr& attributes);

/// A file in memory of `bytes`, sealed against every change. memfd_create(2)
[[nodiscard]] Result<UniqueFd> sealed_memfd(const std::string& name, std::string_view bytes);

}  // namespace guard::sys
