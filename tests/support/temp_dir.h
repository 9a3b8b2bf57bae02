#pragma once
#include <sys/types.h>

#include <string>
#include <string_view>

namespace guard::support {

/// A new directory below $TMPDIR or /tmp, 0700; removed with everything in it at the end.
class TempDir {
public:
    TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    ~TempDir();

    [[nodiscard]] const std::string& path() const { return path_; }
    /// The path of something in it.
    [[nodiscard]] std::string operator/(std::string_view name) const {
        return path_ + "/" + std::string(name);
    }
    /// Writes a file into it, making the directories above; returns its path. Aborts the test where it can't.
    std::string write(std::string_view name, std::string_view text, mode_t mode = 0644) const;
    /// Makes a directory in it; returns its path.
    std::string make(std::string_view name) const;

private:
    std::string path_;
};

/// All of a file; empty where it can't be read.
[[nodiscard]] std::string text_of(const std::string& path);

}  // namespace guard::support
