#pragma once
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "policies/document.h"
#include "policies/load.h"

namespace guard::policies {

/// Which file it is, whatever path led to it.
struct FileId {
    dev_t device = 0;
    ino_t inode = 0;
    bool operator==(const FileId&) const = default;
};

struct SourceText {
    std::string bytes;
    FileId id;
    std::optional<Error> distrust;  ///< who else could change it, where that was no reason to refuse it
};

/// Where profiles and groups are read from: the disk, or a revision of a repository.
class Files {
public:
    Files() = default;
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    virtual ~Files() = default;
    /// One profile or group. Fails where there is none, it is no regular file, is too large, or `trust`
    /// refuses it.
    [[nodiscard]] virtual Result<SourceText> read(const std::string& path,
                                                  LoadOptions::Trust trust) const = 0;
    /// The identity of a file or directory, or none where there is none.
    [[nodiscard]] virtual std::optional<FileId> id(const std::string& path) const = 0;
    /// Names in a directory; none where it can't be read.
    [[nodiscard]] virtual std::vector<std::string> list(const std::string& directory) const = 0;
};
/// The disk. A FIFO or a device is never opened for reading, so none blocks.
[[nodiscard]] const Files& disk();
/// What the options say, or the disk.
[[nodiscard]] const Files& files_of(const LoadOptions& options);

/// The finding that somebody else could change the file at `path`.
[[nodiscard]] Diagnostic distrusted(const std::string& path, const Error& why);

/// "/etc/guard/profiles/minecraft.toml" -> "minecraft"
[[nodiscard]] std::string stem_of(const std::string& path);
/// "/etc/guard/profiles"; "." where the path has no directory.
[[nodiscard]] std::string directory_of(const std::string& path);
[[nodiscard]] inline bool is_path(const std::string& text) {
    return text.find('/') != std::string::npos || text.ends_with(".toml");
}

/// Where a parent named in `child` is: a path relative to the child; else beside the child (the child itself
/// excluded), then on the search path. The child's own name means the next one further down the path. None
/// where there is none.
[[nodiscard]] std::optional<std::string> find_parent(const std::string& wanted, const std::string& child,
                                                     const LoadOptions& options);
/// Where the group `@name` is: in groups/ beside the file that names it (or beside that group), then on the
/// search path.
[[nodiscard]] std::optional<std::string> find_group(const std::string& group, const std::string& named_in,
                                                    const LoadOptions& options);
/// Names of *.toml files in these directories, each once, sorted.
[[nodiscard]] std::vector<std::string> names_in(const std::vector<std::string>& directories,
                                                const Files& files = disk());

}  // namespace guard::policies
