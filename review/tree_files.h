#pragma once
#include <map>
#include <string>
#include <vector>

#include "policies/sources.h"
#include "review/tree.h"

namespace guard::review {

/// One side's files as the language reads them: a relative path is in the tree, and nothing leads out of it;
/// an absolute one is read from disk, and only below the directories of shipped profiles.
class TreeFiles final : public policies::Files {
public:
    /// Both must outlive it.
    TreeFiles(const Tree& tree, const std::vector<std::string>& shipped) : tree_(&tree), shipped_(&shipped) {}

    [[nodiscard]] Result<policies::SourceText> read(const std::string& path,
                                                    LoadOptions::Trust trust) const override;
    [[nodiscard]] std::optional<policies::FileId> id(const std::string& path) const override;
    [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

private:
    [[nodiscard]] bool is_shipped(const std::string& path) const;

    const Tree* tree_;
    const std::vector<std::string>* shipped_;
    mutable std::map<std::string, ino_t> numbers_;
};

}  // namespace guard::review
