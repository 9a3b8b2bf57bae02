#include "review/tree_files.h"

#include <algorithm>

namespace guard::review {

// Lexically: what is installed is not a stranger's, and "..", which a stranger could write, is refused.
bool TreeFiles::is_shipped(const std::string& path) const {
    if (!path.starts_with('/') || ("/" + path + "/").find("/../") != std::string::npos) return false;
    return std::ranges::any_of(*shipped_, [&path](const std::string& directory) {
        return path == directory || path.starts_with(directory + "/");
    });
}

Result<policies::SourceText> TreeFiles::read(const std::string& path, LoadOptions::Trust trust) const {
    if (is_shipped(path)) return policies::disk().read(path, trust);
    const auto place = resolved(*tree_, path);
    const auto kind = place ? tree_->kind(*place) : std::nullopt;
    if (!kind)
        return fail("cannot read " + path, "there is no such file in this revision, or it leads out of it");
    if (*kind == NodeKind::directory) return fail("cannot read " + path, "it is a directory, not a file");
    if (*kind != NodeKind::file) return fail("cannot read " + path, "it is no regular file");
    auto bytes = tree_->bytes(*place, policies::kMostBytes);
    if (!bytes)
        return fail("cannot read " + path, describe({"", bytes.error().reason, bytes.error().code, ""}));
    return policies::SourceText{std::move(*bytes), *id(path), std::nullopt};
}

std::optional<policies::FileId> TreeFiles::id(const std::string& path) const {
    if (is_shipped(path)) return policies::disk().id(path);
    const auto place = resolved(*tree_, path);
    if (!place) return std::nullopt;
    constexpr auto kNoDevice = ~dev_t{0};
    return policies::FileId{kNoDevice, numbers_.emplace(*place, numbers_.size() + 1).first->second};
}

std::vector<std::string> TreeFiles::list(const std::string& directory) const {
    if (is_shipped(directory)) return policies::disk().list(directory);
    const auto place = resolved(*tree_, directory);
    std::vector<std::string> names;
    if (!place) return names;
    for (const auto& [name, kind] : tree_->list(*place)) names.push_back(name);
    return names;
}

}  // namespace guard::review
