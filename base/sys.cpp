#include "base/sys.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

namespace guard::sys {
namespace {

constexpr std::size_t kChunk = 16'384;
constexpr std::size_t kMostRecord = 16U << 20U;

std::string doing(std::string_view what, const std::string& on) { return std::string(what) + " " + on; }

Result<UniqueFd> owned(long fd, std::string attempt) {
    if (fd < 0) return fail_errno(std::move(attempt), errno);
    return UniqueFd(static_cast<int>(fd));
}

Result<void> done(long result, std::string attempt) {
    if (result < 0) return fail_errno(std::move(attempt), errno);
    return {};
}

}  // namespace

Result<UniqueFd> openat(int dir, const std::string& path, int flags, mode_t mode) {
    return owned(TEMP_FAILURE_RETRY(::openat(dir, path.c_str(), flags | O_CLOEXEC, mode)),
                 doing("open", path));
}

Result<UniqueFd> open(const std::string& path, int flags, mode_t mode) {
    return openat(AT_FDCWD, path, flags, mode);
}

Result<UniqueFd> openat2(int dir, const std::string& path, std::uint64_t flags, std::uint64_t resolve,
                         mode_t mode) {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.mode = mode;
    how.resolve = resolve;
    // EAGAIN: a rename raced with the walk; the kernel asks to try again. openat2(2)
    long fd = -1;
    do fd = ::syscall(SYS_openat2, dir, path.c_str(), &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return owned(fd, doing("open", path));
}

Result<std::string> read_all(int fd, const std::string& name, std::size_t most) {
    std::string text;
    std::array<char, kChunk> chunk;  // not zeroed: that costs as much as some of the reads
    for (;;) {
        const auto got = TEMP_FAILURE_RETRY(::read(fd, chunk.data(), chunk.size()));
        if (got < 0) return fail_errno(doing("read", name), errno);
        if (got == 0) return text;
        text.append(chunk.data(), static_cast<std::size_t>(got));
        if (text.size() > most) return fail(doing("read", name), "it is larger than it may be");
    }
}

Result<std::string> pread_record(int fd, const std::string& name) {
    std::string text;
    std::array<char, kChunk> chunk;
    for (;;) {
        const auto at = static_cast<off_t>(text.size());
        const auto got = TEMP_FAILURE_RETRY(::pread(fd, chunk.data(), chunk.size(), at));
        if (got < 0) return fail_errno(doing("read", name), errno);
        text.append(chunk.data(), static_cast<std::size_t>(got));
        if (static_cast<std::size_t>(got) < chunk.size()) return text;
        if (text.size() > kMostRecord) return fail(doing("read", name), "it is larger than it may be");
    }
}

Result<std::string> read_record(int dir, const std::string& path) {
    const auto fd = TRY(openat(dir, path, O_RDONLY));
    return pread_record(fd.get(), path);
}

Result<std::string> read_file(int dir, const std::string& path, std::size_t most) {
    const auto fd = TRY(openat(dir, path, O_RDONLY));
    return read_all(fd.get(), path, most);
}

Result<std::string> read_file(const std::string& path, std::size_t most) {
    return read_file(AT_FDCWD, path, most);
}

Result<void> write_file(int dir, const std::string& path, std::string_view text) {
    const auto fd = TRY(openat(dir, path, O_WRONLY));
    const auto put = TEMP_FAILURE_RETRY(::write(fd.get(), text.data(), text.size()));
    if (put < 0) return fail_errno(doing("write", path), errno);
    if (static_cast<std::size_t>(put) != text.size())
        return fail(doing("write", path), "only a part was taken");
    return {};
}

Result<void> write_file(const std::string& path, std::string_view text) {
    return write_file(AT_FDCWD, path, text);
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& name) {
    while (!bytes.empty()) {
        const auto put = TEMP_FAILURE_RETRY(::write(fd, bytes.data(), bytes.size()));
        if (put < 0) return fail_errno(doing("write", name), errno);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

Result<void> replace_file(const std::string& path, std::string_view text, mode_t mode, Sync sync) {
    const auto slash = path.rfind('/');
    const auto folder = slash == std::string::npos ? std::string(".") : path.substr(0, slash + 1);
    std::string name = path + ".XXXXXX";
    UniqueFd file(::mkostemp(name.data(), O_CLOEXEC));
    if (!file) return fail_errno(doing("write beside", path), errno);
    const auto undo = [&name](Error error) -> Result<void> {
        ::unlink(name.c_str());
        return std::unexpected(std::move(error));
    };
    if (auto put = write_all(file.get(), text, path); !put) return undo(put.error());
    if (::fchmod(file.get(), mode) < 0) return undo({doing("set the mode of", path), "", errno, ""});
    if (sync == Sync::yes && ::fsync(file.get()) < 0) return undo({doing("sync", path), "", errno, ""});
    if (::rename(name.c_str(), path.c_str()) < 0) return undo({doing("replace", path), "", errno, ""});
    if (sync == Sync::no) return {};
    const auto directory = TRY(open(folder, O_RDONLY | O_DIRECTORY));
    return done(::fsync(directory.get()), doing("sync", folder));
}

Result<std::string> readlinkat(int dir, const std::string& path) {
    std::array<char, 4096> target;
    const auto size = ::readlinkat(dir, path.c_str(), target.data(), target.size());
    if (size < 0) return fail_errno(doing("read the link", path), errno);
    return std::string(target.data(), static_cast<std::size_t>(size));
}

Result<struct stat> fstat(int fd) {
    struct stat status{};
    if (::fstat(fd, &status) < 0) return fail_errno("stat a descriptor", errno);
    return status;
}

Result<struct stat> fstatat(int dir, const std::string& path, int flags) {
    struct stat status{};
    if (::fstatat(dir, path.c_str(), &status, flags) < 0) return fail_errno(doing("stat", path), errno);
    return status;
}

Result<struct statx> statx(int dir, const std::string& path, unsigned mask) {
    struct statx status{};
    if (::statx(dir, path.c_str(), AT_STATX_DONT_SYNC, mask, &status) < 0)
        return fail_errno(doing("stat", path), errno);
    return status;
}

// Not readdir(3), which asks three things more of each directory.
Result<std::vector<std::string>> names_in(int dir, const std::string& name) {
    std::vector<std::string> names;
    alignas(dirent64) std::array<char, 2 * kChunk> chunk;
    for (;;) {
        const auto got = ::getdents64(dir, chunk.data(), chunk.size());
        if (got < 0) return fail_errno(doing("list", name), errno);
        if (got == 0) break;
        for (ssize_t at = 0; at < got;) {
            const auto* const entry =
                reinterpret_cast<const dirent64*>(&chunk.at(static_cast<std::size_t>(at)));
            const std::string_view one = entry->d_name;
            if (one != "." && one != "..") names.emplace_back(one);
            at += entry->d_reclen;
        }
    }
    std::ranges::sort(names);
    return names;
}

Result<std::vector<std::string>> list_directory(int dir, const std::string& path) {
    const auto fd = TRY(openat(dir, path, O_RDONLY | O_DIRECTORY));
    return names_in(fd.get(), path);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        const auto part = path.substr(0, slash);
        if (::mkdir(part.c_str(), mode) < 0 && errno != EEXIST)
            return fail_errno(doing("make directory", part), errno);
        if (slash == std::string::npos) break;
    }
    if (!S_ISDIR(TRY(fstatat(AT_FDCWD, path)).st_mode))
        return fail_errno(doing("make directory", path), ENOTDIR);
    return {};
}

Result<UniqueFd> pidfd_open(pid_t pid) {
    return owned(::syscall(SYS_pidfd_open, pid, 0), "open process " + std::to_string(pid));
}

Result<void> pidfd_send_signal(int pidfd, int signal, int value) {
    siginfo_t info{};
    info.si_signo = signal;
    info.si_code = SI_QUEUE;
    info.si_pid = ::getpid();
    info.si_uid = ::getuid();
    info.si_value.sival_int = value;
    return done(::syscall(SYS_pidfd_send_signal, pidfd, signal, value == 0 ? nullptr : &info, 0),
                "send signal " + std::to_string(signal));
}

Result<bool> pidfd_wait(int pidfd, int timeout_ms) {
    pollfd wait{pidfd, POLLIN, 0};
    const auto ready = TEMP_FAILURE_RETRY(::poll(&wait, 1, timeout_ms));
    if (ready < 0) return fail_errno("wait for a process", errno);
    return ready == 1;
}

Result<UniqueFd> fsopen(const std::string& type) {
    return owned(::syscall(SYS_fsopen, type.c_str(), FSOPEN_CLOEXEC),
                 doing("make a file system of type", type));
}

Result<UniqueFd> fsmount(int fs, unsigned attributes) {
    return owned(::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes), "make a mount");
}

Result<UniqueFd> open_tree(int dir, const std::string& path, unsigned flags) {
    return owned(::syscall(SYS_open_tree, dir, path.c_str(), flags | OPEN_TREE_CLOEXEC),
                 doing("open the mount at", path));
}

Result<void> mount_setattr(int fd, unsigned flags, const mount_attr& attributes) {
    return done(::syscall(SYS_mount_setattr, fd, "", flags | AT_EMPTY_PATH, &attributes, sizeof attributes),
                "set the flags of a mount");
}

Result<UniqueFd> sealed_memfd(const std::string& name, std::string_view bytes) {
    auto file = TRY(owned(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING),
                          doing("make a file in memory", name)));
    CHECK(write_all(file.get(), bytes, name));
    if (::fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
        return fail_errno(doing("seal", name), errno);
    if (::lseek(file.get(), 0, SEEK_SET) < 0) return fail_errno(doing("rewind", name), errno);
    return file;
}

}  // namespace guard::sys
