#include "base/trusted_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <deque>
#include <optional>

#include "base/split.h"
#include "base/sys.h"

namespace guard {
namespace {

constexpr int kMostLinks = 40;  // as the kernel follows. path_resolution(7)

// The name of a user, read without NSS, which could run anybody's code.
std::string user_words(uid_t uid) {
    const auto passwd = sys::read_file("/etc/passwd");
    if (passwd)
        for (const auto line : lines_of(*passwd)) {
            const auto fields = split(line, ':');
            if (fields.size() > 2 && number_of<uid_t>(fields[2]) == uid)
                return fmt::format("user {} ({})", fields[0], uid);
        }
    return fmt::format("user {}", uid);
}

// Who but root and `user` can change it, in words; none where nobody can.
std::optional<std::string> who_can_change(const struct stat& status, uid_t user) {
    if (status.st_uid != 0 && status.st_uid != user) return user_words(status.st_uid);
    // The bits of a link mean nothing: only its owner can replace it, in a directory that is checked too.
    if (S_ISLNK(status.st_mode)) return std::nullopt;
    if (S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0) return std::nullopt;
    if ((status.st_mode & S_IWOTH) != 0) return "everybody";
    if ((status.st_mode & S_IWGRP) != 0) return fmt::format("group {}", status.st_gid);
    return std::nullopt;
}

class Walk {
public:
    Walk(std::string path, uid_t user) : path_(std::move(path)), user_(user) {}

    Result<UniqueFd> run() {
        CHECK(start(path_));
        while (!left_.empty()) {
            const auto name = left_.front();
            left_.pop_front();
            CHECK(step(name));
        }
        return std::move(at_);
    }

private:
    Result<void> start(const std::string& path) {
        for (const auto part : split(path, '/'))
            if (!part.empty()) left_.emplace_back(part);
        return from_directory(path.starts_with('/') ? "/" : ".");
    }

    // A path that is not absolute begins in the working directory, whose own way from the root counts too.
    Result<void> from_directory(const std::string& directory) {
        at_ = TRY(sys::open("/", O_PATH | O_DIRECTORY));
        where_ = "";
        CHECK(judge(at_.get(), "/"));
        if (directory == "/") return {};
        const auto here = TRY(sys::readlinkat(AT_FDCWD, "/proc/self/cwd"));
        const auto parts = split(here, '/');
        for (auto part = parts.rbegin(); part != parts.rend(); ++part)
            if (!part->empty()) left_.emplace_front(*part);
        return {};
    }

    Result<void> step(const std::string& name) {
        auto next = TRY(sys::openat(at_.get(), name, O_PATH | O_NOFOLLOW));
        const auto status = TRY(sys::fstat(next.get()));
        where_ += "/" + name;
        CHECK(judge(next.get(), where_));
        if (S_ISLNK(status.st_mode)) return follow(name);
        at_ = std::move(next);
        return {};
    }

    Result<void> follow(const std::string& name) {
        if (++links_ > kMostLinks) return fail_errno("open " + path_, ELOOP);
        const auto target = TRY(sys::readlinkat(at_.get(), name));
        where_.erase(where_.rfind('/'));
        const auto parts = split(target, '/');
        for (auto part = parts.rbegin(); part != parts.rend(); ++part)
            if (!part->empty()) left_.emplace_front(*part);
        return target.starts_with('/') ? from_directory("/") : Result<void>{};
    }

    Result<void> judge(int fd, const std::string& name) {
        const auto status = TRY(sys::fstat(fd));
        const auto who = who_can_change(status, user_);
        if (!who) return {};
        const auto* owner = user_ == 0 ? "root" : "you";
        return fail("refused " + path_,
                    fmt::format("{} may change {}, and {} would obey it", *who, name, owner),
                    fmt::format("chown root: {0} && chmod go-w {0}, after reading it once", name));
    }

    std::string path_, where_;
    uid_t user_;
    UniqueFd at_;
    std::deque<std::string> left_;
    int links_ = 0;
};

}  // namespace

Result<UniqueFd> open_trusted(const std::string& path, uid_t user) {
    const auto found = TRY(Walk(path, user).run());
    const auto status = TRY(sys::fstat(found.get()));
    if (!S_ISREG(status.st_mode)) return fail("open " + path, "it is no regular file");
    // Nobody else can have put another file here since: every step was checked.
    auto file = TRY(sys::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
    const auto opened = TRY(sys::fstat(file.get()));
    if (opened.st_ino != status.st_ino || opened.st_dev != status.st_dev)
        return fail("open " + path, "it was replaced while it was opened");
    return file;
}

}  // namespace guard
