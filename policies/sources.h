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
/// Reads one profile or group. Fails where it is no regular file (a FIFO or a device is never opened for
/// reading, so none blocks), is too large, or `trust` refuses it.
[[nodiscard]] Result<SourceText> read_source(const std::string& path, LoadOptions::Trust trust);

/// The identity of a file, or none where there is none.
[[nodiscard]] std::optional<FileId> file_id(const std::string& path);

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
                                                     const std::vector<std::string>& search_path);
/// Where the group `@name` is: in groups/ beside the file that names it (or beside that group), then on the
/// search path.
[[nodiscard]] std::optional<std::string> find_group(const std::string& group, const std::string& named_in,
                                                    const std::vector<std::string>& search_path);
/// Names of *.toml files in these directories, each once, sorted.
[[nodiscard]] std::vector<std::string> names_in(const std::vector<std::string>& directories);

}  // namespace guard::policies
