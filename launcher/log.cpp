#include "launcher/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/sys.h"

namespace guard::launcher {
namespace {

constexpr std::size_t kChunk = 64U << 10U;
constexpr int kAskEveryMs = 500;

std::string older(const std::string& path, unsigned number) { return path + "." + std::to_string(number); }

Result<UniqueFd> open_log(const std::string& path) {
    // O_NONBLOCK: a FIFO in its place must not keep the supervisor waiting for a reader.
    auto file =
        TRY(sys::open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
    if (!S_ISREG(TRY(sys::fstat(file.get())).st_mode)) return fail("open " + path, "it is not a file");
    return file;
}

}  // namespace

Result<Log> Log::open(const std::string& path, std::uint64_t size, unsigned keep) {
    CHECK(sys::make_directories(path.substr(0, path.rfind('/')), 0700));
    auto file = TRY(open_log(path));
    const auto used = static_cast<std::uint64_t>(TRY(sys::fstat(file.get())).st_size);
    return Log(path, std::move(file), std::max<std::uint64_t>(size, 1), keep, used);
}

void Log::append(std::string_view bytes) {
    note_what_was_dropped();
    while (!bytes.empty()) {
        const auto room = size_ > used_ ? size_ - used_ : 0;
        if (bytes.size() <= room) return write(bytes);
        // At the end of a line, where one ends in what still fits; a line longer than a whole file is cut.
        const auto line = bytes.substr(0, room).rfind('\n');
        const auto part = line != std::string_view::npos ? line + 1 : used_ == 0 ? room : 0;
        write(bytes.substr(0, part));
        bytes.remove_prefix(part);
        rotate();
    }
}

void Log::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto put = TEMP_FAILURE_RETRY(::write(file_.get(), bytes.data(), bytes.size()));
        if (put <= 0) {
            dropped_ += bytes.size();
            return;
        }
        used_ += static_cast<std::uint64_t>(put);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
}

void Log::rotate() {
    used_ = 0;  // also where a rename fails: better a file that is too large for a while than no progress
    if (keep_ == 0) {
        if (::ftruncate(file_.get(), 0) < 0) return;
        return;
    }
    for (unsigned number = keep_; number > 1; --number)
        ::rename(older(path_, number - 1).c_str(), older(path_, number).c_str());
    ::rename(path_.c_str(), older(path_, 1).c_str());
    if (auto file = open_log(path_)) file_ = std::move(*file);
}

void Log::note_what_was_dropped() {
    if (dropped_ == noted_) return;
    const auto note =
        fmt::format("[guard: {} bytes are missing here: the disk was full]\n", dropped_ - noted_);
    const auto put = TEMP_FAILURE_RETRY(::write(file_.get(), note.data(), note.size()));
    if (put <= 0) return;  // still full
    used_ += static_cast<std::uint64_t>(put);
    noted_ = dropped_;
}

Result<bool> Log::take_from(int pipe, const std::function<void(std::string_view)>& seen) {
    std::array<char, kChunk> chunk{};
    const auto got = TEMP_FAILURE_RETRY(::read(pipe, chunk.data(), chunk.size()));
    if (got < 0 && errno == EAGAIN) return true;
    if (got < 0) return fail_errno("read what the container writes", errno);
    const std::string_view bytes(chunk.data(), static_cast<std::size_t>(got));
    append(bytes);
    if (seen && got > 0) seen(bytes);
    return got > 0;
}

namespace {

struct Sequence {
    std::size_t length;  ///< of the character; 0: no UTF-8
    bool cut;            ///< the text ends within it
    bool control;
};

// The character that `text` starts with. RFC 3629; U+0080 to U+009F are control characters too.
Sequence first_character(std::string_view text) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto lead = byte(0);
    if (lead < 0x80) return {1, false, (lead < 0x20 && lead != '\n' && lead != '\t') || lead == 0x7F};
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4) return {0, false, false};
    for (std::size_t i = 1; i < length; ++i) {
        if (i == text.size()) return {length, true, false};
        const unsigned least = i > 1 ? 0x80U : lead == 0xE0 ? 0xA0U : lead == 0xF0 ? 0x90U : 0x80U;
        const unsigned most = i > 1 ? 0xBFU : lead == 0xED ? 0x9FU : lead == 0xF4 ? 0x8FU : 0xBFU;
        if (byte(i) < least || byte(i) > most) return {0, false, false};
    }
    return {length, false, lead == 0xC2 && byte(1) < 0xA0};
}

void add_escaped(std::string_view bytes, std::string& to) {
    for (const auto byte : bytes) to += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
}

}  // namespace

std::string Escaper::operator()(std::string_view chunk) {
    std::string text = std::exchange(cut_, "");
    text += chunk;
    std::string shown;
    shown.reserve(text.size());
    for (std::string_view left = text; !left.empty();) {
        const auto [length, cut, control] = first_character(left);
        if (cut) {
            cut_ = left;
            break;
        }
        const auto character = left.substr(0, std::max<std::size_t>(length, 1));
        if (length == 0 || control) {
            add_escaped(character, shown);
        } else {
            shown += character;
        }
        left.remove_prefix(character.size());
    }
    return shown;
}

std::string Escaper::rest() {
    std::string shown;
    add_escaped(std::exchange(cut_, ""), shown);
    return shown;
}

namespace {

using Sink = std::function<bool(std::string_view)>;

// To the end of what is there; false where the sink has had enough.
Result<bool> give_all(const UniqueFd& file, const std::string& name, const Sink& sink) {
    std::array<char, kChunk> chunk{};
    for (;;) {
        const auto got = TEMP_FAILURE_RETRY(::read(file.get(), chunk.data(), chunk.size()));
        if (got < 0) return fail_errno("read " + name, errno);
        if (got == 0) return true;
        if (!sink({chunk.data(), static_cast<std::size_t>(got)})) return false;
    }
}

// All files there are, oldest first, opened before any is read: a rotation in between only renames them.
Result<std::vector<UniqueFd>> open_files(const std::string& path) {
    std::vector<UniqueFd> files;
    auto newest = TRY(sys::open(path, O_RDONLY | O_NOFOLLOW));
    files.push_back(std::move(newest));
    for (unsigned number = 1;; ++number) {
        auto file = sys::open(older(path, number), O_RDONLY | O_NOFOLLOW);
        if (!file) break;
        files.push_back(std::move(*file));
    }
    std::ranges::reverse(files);
    return files;
}

class Watch {
public:
    explicit Watch(const std::string& path) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
        const auto folder = path.substr(0, path.rfind('/') + 1);
        ::inotify_add_watch(fd_.get(), folder.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO);
    }
    // Waits for a change in the folder, or half a second: without inotify only the latter.
    void wait() const {
        pollfd ready{fd_.get(), POLLIN, 0};
        ::poll(&ready, 1, kAskEveryMs);
        std::array<char, 4096> events{};
        while (::read(fd_.get(), events.data(), events.size()) > 0) continue;
    }

private:
    UniqueFd fd_;
};

bool is_same_file(const UniqueFd& file, const std::string& path) {
    const auto now = sys::fstat(file.get());
    const auto named = sys::fstatat(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
    return !named || (now && now->st_ino == named->st_ino && now->st_dev == named->st_dev);
}

// `file` was rotated away: the files that came after it, oldest first, the last one being that of `path`.
std::vector<UniqueFd> files_after(const UniqueFd& file, const std::string& path) {
    auto files = open_files(path);
    if (!files) return {};
    const auto own = sys::fstat(file.get());
    const auto same = [&own](const UniqueFd& other) {
        const auto status = sys::fstat(other.get());
        return own && status && status->st_ino == own->st_ino && status->st_dev == own->st_dev;
    };
    const auto found = std::ranges::find_if(*files, same);
    if (found != files->end()) files->erase(files->begin(), found + 1);
    return std::move(*files);
}

Result<void> follow(UniqueFd file, const std::string& path, const Sink& sink,
                    const std::function<bool()>& more) {
    const Watch watch(path);
    for (;;) {
        // Asked before reading: what was written before the end is then still read.
        const bool goes_on = more();
        if (!TRY(give_all(file, path, sink))) return {};
        if (!is_same_file(file, path)) {
            for (auto& next : files_after(file, path)) {
                if (!TRY(give_all(next, path, sink))) return {};
                file = std::move(next);
            }
            continue;
        }
        if (!goes_on) return {};
        watch.wait();
    }
}

}  // namespace

Result<void> read_log(const std::string& path, const Sink& sink, const std::function<bool()>& more) {
    auto files = TRY(open_files(path));
    for (const auto& file : files)
        if (!TRY(give_all(file, path, sink))) return {};
    if (!more) return {};
    return follow(std::move(files.back()), path, sink, more);
}

}  // namespace guard::launcher
