#include "audit/scan_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <cerrno>

#include "base/mountinfo.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

// So deep a tree is no file tree of a server, and the walk keeps a descriptor for each level.
constexpr unsigned kDeepest = 128;

struct Walk {
    const Record& record;
    const MountLine& mount;
    dev_t device = 0;
    std::vector<Finding>& findings;
};

std::string rights_of(const struct stat& status, int folder, const std::string& name) {
    if ((status.st_mode & S_ISUID) != 0) return fmt::format("runs as user {}", status.st_uid);
    if ((status.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP))
        return fmt::format("runs as group {}", status.st_gid);
    const auto path = fmt::format("/proc/self/fd/{}/{}", folder, name);
    return ::lgetxattr(path.c_str(), "security.capability", nullptr, 0) > 0 ? "gets capabilities" : "";
}

void look_at(const Walk& walk, const struct stat& status, int folder, const std::string& path,
             const std::string& name) {
    const auto rights = rights_of(status, folder, name);
    if (rights.empty()) return;
    const auto* const id = walk.mount.has("nosuid") ? "files.setuid-dormant" : "files.setuid";
    walk.findings.push_back(
        raise(id, Subject{walk.record.name, 0, 0, 0, "", ""}, "", fmt::format("{} {}", path, rights)));
}

void walk_folder(const Walk& walk, int folder, const std::string& path, unsigned depth) {
    const auto names = sys::list_directory(folder, ".");
    if (!names || depth > kDeepest) {
        walk.findings.push_back(raise_unknown("files.unread", Subject{walk.record.name, 0, 0, 0, "", ""},
                                              path + (names ? " is too deep" : " can't be read")));
        return;
    }
    for (const auto& name : *names) {
        const auto status = sys::fstatat(folder, name, AT_SYMLINK_NOFOLLOW);
        // What goes meanwhile is gone; what is mounted below is walked as a mount of its own.
        if (!status || status->st_dev != walk.device) continue;
        if (S_ISREG(status->st_mode)) look_at(walk, *status, folder, path + "/" + name, name);
        if (!S_ISDIR(status->st_mode)) continue;
        const auto below = sys::openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
        if (below) walk_folder(walk, below->get(), path + "/" + name, depth + 1);
    }
}

bool is_worth_a_walk(const MountLine& line) {
    const bool kernels_own = line.type == "proc" || line.type == "sysfs" || line.type == "devpts" ||
                             line.type == "mqueue" || line.type.starts_with("cgroup");
    const bool may_be_written = !line.has("ro") && !line.super_has("ro");
    return !kernels_own && (may_be_written || !line.has("nosuid"));
}

}  // namespace

std::vector<Finding> risky_files(const Record& record, int folder) {
    std::vector<Finding> findings;
    const auto unread = [&](const std::string& what) {
        findings.push_back(raise_unknown("files.unread", Subject{record.name, 0, 0, 0, "", ""}, what));
    };
    const auto text = sys::read_file(folder, "mountinfo");
    const auto lines = text ? parse_mountinfo(*text) : std::unexpected(text.error());
    const auto root = sys::openat(folder, "root", O_PATH | O_DIRECTORY);
    if (!lines || !root) {
        unread("its mounts can't be read");
        return findings;
    }
    for (const auto& line : visible_mounts(*lines)) {
        if (!is_worth_a_walk(line)) continue;
        const auto place = sys::open_in_root(root->get(), line.place, O_RDONLY | O_DIRECTORY);
        if (!place && place.error().code == ENOTDIR) continue;  // a single file
        const auto status = place ? sys::fstat(place->get()) : std::unexpected(place.error());
        if (!status) {
            unread(line.place + " can't be read");
            continue;
        }
        const Walk walk{record, line, status->st_dev, findings};
        walk_folder(walk, place->get(), line.place == "/" ? "" : line.place, 0);
    }
    return findings;
}

}  // namespace guard::audit
