#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace guard::launcher {

/// A log file that never grows past `size`; `keep` older ones stay beside it as NAME.log.1 (the newest) to
/// NAME.log.KEEP. A full disk drops lines and counts them: it does not end the container.
class Log {
public:
    /// Opens or goes on with the file; makes its folder, 0700. Fails with the errno of openat(2), and for a
    /// link.
    [[nodiscard]] static Result<Log> open(const std::string& path, std::uint64_t size, unsigned keep);

    /// Adds `bytes`; rotates before the file would get too large, at the end of a line where there is one.
    void append(std::string_view bytes);

    /// One read of `pipe` into the log; `seen`, if given, gets the same bytes. False at the end of the pipe.
    /// Fails with the errno of read(2); EAGAIN counts as nothing read. Who reads no faster than it writes
    /// holds back only the payload: the pipe fills and its write(2) waits.
    [[nodiscard]] Result<bool> take_from(int pipe, const std::function<void(std::string_view)>& seen = {});

    /// Bytes that found no room since the log was opened.
    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    Log(std::string path, UniqueFd file, std::uint64_t size, unsigned keep, std::uint64_t used)
        : path_(std::move(path)), file_(std::move(file)), size_(size), keep_(keep), used_(used) {}
    void write(std::string_view bytes);
    void rotate();
    void note_what_was_dropped();

    std::string path_;
    UniqueFd file_;
    std::uint64_t size_;
    unsigned keep_;
    std::uint64_t used_;
    std::uint64_t dropped_ = 0, noted_ = 0;
};

/// Makes what a container wrote harmless on a terminal: control characters but for newline and tab, and bytes
/// that are no UTF-8, become \xNN. Keeps a character that is cut by the end of a chunk for the next one.
class Escaper {
public:
    [[nodiscard]] std::string operator()(std::string_view chunk);
    /// What is left at the end, escaped.
    [[nodiscard]] std::string rest();

private:
    std::string cut_;
};

/// Gives everything in the rotated files of `path`, oldest first, then the file itself, to `sink`, until
/// `sink` returns false. With `more` it then waits for new bytes, over rotations, for as long as `more`
/// returns true (asked about twice a second).
[[nodiscard]] Result<void> read_log(const std::string& path,
                                    const std::function<bool(std::string_view)>& sink,
                                    const std::function<bool()>& more = {});

}  // namespace guard::launcher
