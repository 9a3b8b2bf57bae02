#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "review/git.h"

namespace guard::review {

/// What stands at one place of a tree.
enum class NodeKind : std::uint8_t { file, directory, link, other };

/// The files of one side of a review: a revision, or a directory. Paths are relative to its top, without "."
/// and ".."; "" is the top. No link is followed here.
class Tree {
public:
    Tree() = default;
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;
    virtual ~Tree() = default;
    /// What is in a directory; empty where it is none.
    [[nodiscard]] virtual std::map<std::string, NodeKind> list(const std::string& directory) const = 0;
    /// The bytes of a file, or the target of a link. Fails where it can't be read, or has more than `most`
    /// bytes.
    [[nodiscard]] virtual Result<std::string> bytes(const std::string& path, std::size_t most) const = 0;

    /// What stands at `path`, or none.
    [[nodiscard]] virtual std::optional<NodeKind> kind(const std::string& path) const = 0;
};

/// A commit of a repository. `git` must outlive it.
[[nodiscard]] std::unique_ptr<Tree> tree_of(Git& git, const std::string& commit);
/// A directory of this machine. Fails where it is none or can't be read. Nothing above it is ever opened.
[[nodiscard]] Result<std::unique_ptr<Tree>> tree_of(const std::string& directory);

/// `path` of the tree, with its "." and ".." taken out and its links followed. None where there is nothing,
/// or where it leads out of the tree.
[[nodiscard]] std::optional<std::string> resolved(const Tree& tree, const std::string& path);

}  // namespace guard::review
