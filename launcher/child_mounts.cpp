#include "launcher/child_mounts.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#ifndef MNT_DETACH
#define MNT_DETACH 2
#endif

namespace guard::launcher {
namespace {

using Make = PlannedMount::Make;
using Target = PlannedMount::Target;

constexpr std::uint64_t kNoLinks = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_BENEATH;

int result(long value) noexcept { return value < 0 ? errno : 0; }

std::uint64_t attributes_of(const Mount& mount) noexcept {
    std::uint64_t attributes = 0;
    for (const auto& row : kMountGrants)
        if (!mount.grants.all.contains(row.grant)) attributes |= row.attribute;
    return attributes;
}

int open_below(int dir, const char* path, std::uint64_t flags) noexcept {
    open_how how{};
    how.flags = flags | O_CLOEXEC;
    how.resolve = kNoLinks;
    long fd = -1;
    do fd = ::syscall(SYS_openat2, dir, path, &how, sizeof how);
    while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return static_cast<int>(fd);
}

// Opens `path` below `dir`, making what is missing one name at a time: a link on the way is an error, whoever
// put it there and whenever. -1 and errno on failure.
int open_or_make(int dir, const char* path, bool as_file) noexcept {
    if (const int whole = open_below(dir, path, O_PATH); whole >= 0 || errno != ENOENT) return whole;
    int at = ::dup(dir);
    for (const char* name = path; at >= 0 && *name != '\0';) {
        char part[NAME_MAX + 1];
        const char* const end = ::strchrnul(name, '/');
        const auto size = static_cast<std::size_t>(end - name);
        if (size >= sizeof part) {
            ::close(at);
            errno = ENAMETOOLONG;
            return -1;
        }
        std::memcpy(part, name, size);
        part[size] = '\0';
        name = *end == '/' ? end + 1 : end;
        if (as_file && *name == '\0') {
            if (const int file =
                    ::openat(at, part, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0644);
                file >= 0)
                ::close(file);
        } else {
            ::mkdirat(at, part, 0755);  // open tells whether it is there
        }
        const int next = open_below(at, part, O_PATH);
        const int why = errno;
        ::close(at);
        errno = why;
        at = next;
    }
    return at;
}

// In a tmpfs that nobody else has seen yet, paths can be used as they are.
int make_in_own(int root, const PlannedMount& planned) noexcept {
    char path[PATH_MAX];
    const auto size = planned.place.size() - 1;
    if (size >= sizeof path) return ENAMETOOLONG;
    std::memcpy(path, planned.place.c_str() + 1, size + 1);
    for (std::size_t at = 1; at < size; ++at) {
        if (path[at] != '/') continue;
        path[at] = '\0';
        if (::mkdirat(root, path, 0755) < 0 && errno != EEXIST) return errno;
        path[at] = '/';
    }
    if (planned.target == Target::new_directory)
        return ::mkdirat(root, path, 0755) < 0 && errno != EEXIST ? errno : 0;
    const int file = ::openat(root, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    if (file < 0) return errno;
    ::close(file);
    return 0;
}

int attach(const ChildTree& tree, int mount, const PlannedMount& planned) noexcept {
    const char* const place = planned.place.c_str() + 1;
    if (planned.target != Target::existing) {
        if (const int error = make_in_own(tree.root, planned); error != 0) return error;
        return result(::syscall(SYS_move_mount, mount, "", tree.root, place, MOVE_MOUNT_F_EMPTY_PATH));
    }
    const int target = open_or_make(tree.root, place, planned.source_is_file);
    if (target < 0) return errno;
    const int error = result(
        ::syscall(SYS_move_mount, mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
    ::close(target);
    return error;
}

int make_fresh(const PlannedMount& planned, int& mount) noexcept {
    const bool is_root = planned.mount.type == "host";
    const int fs = static_cast<int>(
        ::syscall(SYS_fsopen, is_root ? "tmpfs" : planned.mount.type.c_str(), FSOPEN_CLOEXEC));
    if (fs < 0) return errno;
    int error = 0;
    for (const auto& [key, value] : planned.options) {
        const auto command = value.empty() ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING;
        if (error == 0)
            error = result(::syscall(SYS_fsconfig, fs, command, key.c_str(),
                                     value.empty() ? nullptr : value.c_str(), 0));
    }
    if (error == 0) error = result(::syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
    auto attributes = attributes_of(planned.mount);
    if (planned.closed_last) attributes &= ~std::uint64_t{MOUNT_ATTR_RDONLY};
    if (error == 0) {
        mount = static_cast<int>(::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
        error = mount < 0 ? errno : 0;
    }
    ::close(fs);
    return error;
}

int make_empty_directory(int& mount) noexcept {
    const int fs = static_cast<int>(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC));
    if (fs < 0) return errno;
    int error = result(::syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "4096", 0));
    if (error == 0) error = result(::syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "0555", 0));
    if (error == 0) error = result(::syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0));
    if (error == 0) {
        mount = static_cast<int>(
            ::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC));
        error = mount < 0 ? errno : 0;
    }
    ::close(fs);
    return error;
}

int clone_tree(int dir, const char* path, unsigned flags, int& mount) noexcept {
    mount =
        static_cast<int>(::syscall(SYS_open_tree, dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags));
    return mount < 0 ? errno : 0;
}

int close_attributes(int mount, const Mount& wanted) noexcept {
    mount_attr attributes{};
    attributes.attr_set = attributes_of(wanted);
    return result(::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes));
}

int make_mount(const ChildInput& input, ChildTree& tree, const PlannedMount& planned, int& mount) noexcept {
    int error = 0;
    switch (planned.make) {
        case Make::outside:
        case Make::hidden_file: mount = input.mounts[tree.index]; return 0;
        case Make::fresh: return make_fresh(planned, mount);
        case Make::again: error = clone_tree(tree.root, planned.place.c_str() + 1, 0, mount); break;
        case Make::hidden_dir:
            if (tree.empty < 0) {
                error = make_empty_directory(tree.empty);
                mount = tree.empty;
                return error;
            }
            error = clone_tree(tree.empty, "", AT_EMPTY_PATH, mount);
            break;
    }
    return error != 0 ? error : close_attributes(mount, planned.mount);
}

int add_mount(const ChildInput& input, ChildTree& tree, const PlannedMount& planned) noexcept {
    int mount = -1;
    if (const int error = make_mount(input, tree, planned, mount); error != 0) return error;
    if (const int error = attach(tree, mount, planned); error != 0) return error;
    if (planned.mount.type == "devpts") tree.terminals = mount;
    if (planned.closed_last) {
        if (tree.later_count == std::size(tree.later)) return EMFILE;
        tree.later[tree.later_count++] = mount;
    } else if (mount != tree.terminals && mount != tree.empty) {
        ::close(mount);
    }
    return 0;
}

// Below the host's /mnt-like places there is always the root itself: the new root goes on top of it, out of
// everybody's sight, until pivot_root turns the two around.
int add_root(const ChildInput& input, ChildTree& tree, const PlannedMount& planned) noexcept {
    if (const int error = make_mount(input, tree, planned, tree.root); error != 0) return error;
    if (planned.closed_last) tree.later[tree.later_count++] = tree.root;
    return result(::syscall(SYS_move_mount, tree.root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH));
}

int write_file(int root, const PlannedFile& file) noexcept {
    const int fd = ::openat(root, file.path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                            static_cast<mode_t>(file.mode));
    if (fd < 0) return errno;
    const auto put = ::write(fd, file.content.data(), file.content.size());
    const int error = put < 0 ? errno : static_cast<std::size_t>(put) != file.content.size() ? ENOSPC : 0;
    ::close(fd);
    return error;
}

int populate(const LaunchPlan& plan, int root) noexcept {
    for (const auto& directory : plan.directories)
        if (::mkdirat(root, directory.path.c_str(), static_cast<mode_t>(directory.mode)) < 0 &&
            errno != EEXIST)
            return errno;
    for (const auto& file : plan.files)
        if (const int error = write_file(root, file); error != 0) return error;
    for (const auto& link : plan.links)
        if (::symlinkat(link.target.c_str(), root, link.path.c_str()) < 0) return errno;
    return 0;
}

}  // namespace

int make_tree(const ChildInput& input, ChildTree& tree) noexcept {
    const auto& plan = *input.plan;
    ::umask(0);
    for (std::size_t at = 0; at < plan.mounts.size(); ++at) {
        tree.index = static_cast<std::uint32_t>(at);
        if (at == plan.early_mounts)
            if (const int error = populate(plan, tree.root); error != 0) return error;
        const int error =
            at == 0 ? add_root(input, tree, plan.mounts[at]) : add_mount(input, tree, plan.mounts[at]);
        if (error != 0) return error;
    }
    return 0;
}

int close_tree(ChildTree& tree) noexcept {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    for (std::size_t at = 0; at < tree.later_count; ++at)
        if (::syscall(SYS_mount_setattr, tree.later[at], "", AT_EMPTY_PATH, &attributes, sizeof attributes) <
            0)
            return errno;
    return 0;
}

// pivot_root with both names the same puts the old root on top of the new one, where it is detached at once.
// pivot_root(2)
int enter_tree(const ChildTree& tree) noexcept {
    if (::fchdir(tree.root) < 0) return errno;
    if (::syscall(SYS_pivot_root, ".", ".") < 0) return errno;
    if (::syscall(SYS_umount2, ".", MNT_DETACH) < 0) return errno;
    return ::chdir("/") < 0 ? errno : 0;
}

}  // namespace guard::launcher
