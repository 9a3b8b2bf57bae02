#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policies/key.h"
#include "policies/load.h"
#include "policies/settings.h"
#include "policies/sources.h"

namespace guard::policies {

/// One profile or group as it was read: shared by everything that extends or names it.
struct ReadFile {
    FileId id;
    std::optional<Error> distrust;  ///< who else could change it
    std::unique_ptr<Document> document;
    FileSettings said;
    std::vector<Diagnostic> diagnostics;  ///< of its text and its keys
};

/// The files that one command reads, each once: a thousand profiles extend the same few. Not for several
/// threads.
class FileCache {
public:
    /// The file at `path`, read by the keys of `index` (profile_index or group_index). Fails as read_source
    /// does; what can't be read is tried again the next time.
    [[nodiscard]] Result<std::shared_ptr<const ReadFile>> read(const std::string& path, const KeyIndex& index,
                                                               const LoadOptions& options);

private:
    std::map<std::pair<std::string, const KeyIndex*>, std::shared_ptr<const ReadFile>> files_;
};

}  // namespace guard::policies
