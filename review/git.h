#pragma once
#include <optional>
#include <string>

#include "base/conversation.h"
#include "base/error.h"

namespace guard::review {

/// One object of a repository. git-cat-file(1)
struct GitObject {
    std::string id;    ///< in hexadecimal
    std::string type;  ///< "commit", "tree", "blob"
    std::string bytes;
};

/// A repository, read through one `git cat-file --batch`, so that its work tree and index are never touched
/// and no name of a file reaches a command line. git is a program of its own, not a library: it is where
/// there are repositories, knows every format of them, and itself refuses one that somebody else owns. It
/// runs with its own environment: no hooks, no file system monitor, no replaced objects, nothing fetched, no
/// locks; of the configuration only the user's (safe.directory) and the repository's.
class Git {
public:
    /// The repository that `folder` is in. Fails where there is none, or it is somebody else's.
    [[nodiscard]] static Result<Git> open(const std::string& folder);

    /// The top of the work tree; empty where there is none (a bare repository).
    [[nodiscard]] const std::string& top() const { return top_; }
    /// The commit that a revision names; none where there is no such revision. Fails where it is ambiguous.
    [[nodiscard]] Result<std::optional<std::string>> commit(const std::string& revision);
    /// The best common ancestor of two commits. Fails where there is none, saying what to do in a shallow
    /// clone.
    [[nodiscard]] Result<std::string> merge_base(const std::string& one, const std::string& other);
    /// An object by id or name; none where there is none. More than `most` bytes are read past and left out,
    /// and that is an error.
    [[nodiscard]] Result<std::optional<GitObject>> object(const std::string& name, std::size_t most);

private:
    Git(std::string folder, Conversation batch) : folder_(std::move(folder)), batch_(std::move(batch)) {}

    std::string folder_, top_;
    bool shallow_ = false;
    Conversation batch_;
};

}  // namespace guard::review
