#include "review/tree.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

#include "base/split.h"
#include "base/sys.h"

namespace guard::review {
namespace {

std::string above(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}
std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
std::string below(const std::string& directory, const std::string& name) {
    return directory.empty() ? name : directory + "/" + name;
}

struct GitEntry {
    NodeKind kind = NodeKind::other;
    std::string id;
};
using GitEntries = std::map<std::string, GitEntry>;

NodeKind kind_of_mode(std::string_view mode) {
    if (mode == "40000") return NodeKind::directory;
    if (mode == "120000") return NodeKind::link;
    return mode.starts_with("100") ? NodeKind::file : NodeKind::other;  // 160000: a submodule
}

NodeKind kind_of_mode(mode_t mode) {
    if (S_ISDIR(mode)) return NodeKind::directory;
    if (S_ISLNK(mode)) return NodeKind::link;
    return S_ISREG(mode) ? NodeKind::file : NodeKind::other;
}

std::string hexadecimal(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text += {kDigits[value >> 4U], kDigits[value & 15U]};
    }
    return text;
}

// "MODE NAME\0ID" after one another; an id is as long as the tree's own.
GitEntries entries_of(const GitObject& tree) {
    GitEntries entries;
    const auto id_size = tree.id.size() / 2;
    for (std::string_view rest = tree.bytes; !rest.empty();) {
        const auto space = rest.find(' ');
        const auto end = rest.find('\0');
        if (space == std::string_view::npos || end == std::string_view::npos || end < space ||
            rest.size() - end - 1 < id_size)
            break;
        entries[std::string(rest.substr(space + 1, end - space - 1))] = {
            kind_of_mode(rest.substr(0, space)), hexadecimal(rest.substr(end + 1, id_size))};
        rest.remove_prefix(end + 1 + id_size);
    }
    return entries;
}

class GitTree final : public Tree {
public:
    GitTree(Git& git, std::string commit) : git_(&git), commit_(std::move(commit)) {}

    [[nodiscard]] std::map<std::string, NodeKind> list(const std::string& directory) const override {
        std::map<std::string, NodeKind> names;
        for (const auto& [name, entry] : entries(directory)) names[name] = entry.kind;
        return names;
    }

    [[nodiscard]] std::optional<NodeKind> kind(const std::string& path) const override {
        if (path.empty()) return NodeKind::directory;
        const auto& all = entries(above(path));
        const auto entry = all.find(last_of(path));
        return entry == all.end() ? std::nullopt : std::optional(entry->second.kind);
    }

    [[nodiscard]] Result<std::string> bytes(const std::string& path, std::size_t most) const override {
        const auto& all = entries(above(path));
        const auto entry = all.find(last_of(path));
        if (entry == all.end()) return fail("cannot read " + path, "there is no such file in this revision");
        auto object = git_->object(entry->second.id, most);
        if (!object) return fail("cannot read " + path, object.error().reason);
        if (!*object)
            return fail("cannot read " + path, "the repository lacks this object (a partial clone?)",
                        "git fetch --refetch");
        return std::move((*object)->bytes);
    }

private:
    [[nodiscard]] const GitEntries& entries(const std::string& directory) const {
        if (const auto known = read_.find(directory); known != read_.end()) return known->second;
        auto& made = read_[directory];
        auto id = commit_ + "^{tree}";
        if (!directory.empty()) {
            const auto& parent = entries(above(directory));
            const auto entry = parent.find(last_of(directory));
            if (entry == parent.end() || entry->second.kind != NodeKind::directory) return made;
            id = entry->second.id;
        }
        constexpr std::size_t kMostEntries = 64U << 20U;
        if (const auto object = git_->object(id, kMostEntries);
            object && *object && (*object)->type == "tree")
            made = entries_of(**object);
        return made;
    }

    Git* git_;
    std::string commit_;
    mutable std::map<std::string, GitEntries> read_;
};

class DirectoryTree final : public Tree {
public:
    explicit DirectoryTree(UniqueFd top) : top_(std::move(top)) {}

    [[nodiscard]] std::map<std::string, NodeKind> list(const std::string& directory) const override {
        std::map<std::string, NodeKind> entries;
        const auto opened = open(directory, O_RDONLY | O_DIRECTORY);
        if (!opened) return entries;
        const auto names = sys::list_directory(opened->get(), ".");
        if (!names) return entries;
        for (const auto& name : *names) {
            const auto status = sys::fstatat(opened->get(), name, AT_SYMLINK_NOFOLLOW);
            if (status) entries[name] = kind_of_mode(status->st_mode);
        }
        return entries;
    }

    [[nodiscard]] std::optional<NodeKind> kind(const std::string& path) const override {
        const auto opened = open(path, O_PATH | O_NOFOLLOW);
        if (!opened) return std::nullopt;
        const auto status = sys::fstat(opened->get());
        return status ? std::optional(kind_of_mode(status->st_mode)) : std::nullopt;
    }

    [[nodiscard]] Result<std::string> bytes(const std::string& path, std::size_t most) const override {
        const auto attempt = "cannot read " + path;
        const auto looked = open(path, O_PATH | O_NOFOLLOW);
        if (!looked) return fail_errno(attempt, looked.error().code);
        const auto status = TRY(sys::fstat(looked->get()));
        if (S_ISLNK(status.st_mode)) return sys::readlinkat(looked->get(), "");
        if (!S_ISREG(status.st_mode)) return fail(attempt, "it is no regular file");
        const auto file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
        if (!file) return fail_errno(attempt, file.error().code);
        auto bytes = sys::read_all(file->get(), path, most);
        if (!bytes && bytes.error().code != 0) return fail_errno(attempt, bytes.error().code);
        if (!bytes) return fail(attempt, "it is larger than any profile needs");
        return bytes;
    }

private:
    [[nodiscard]] Result<UniqueFd> open(const std::string& path, std::uint64_t flags) const {
        return sys::openat2(top_.get(), path.empty() ? "." : path, flags,
                            RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    }

    UniqueFd top_;
};

}  // namespace

std::unique_ptr<Tree> tree_of(Git& git, const std::string& commit) {
    return std::make_unique<GitTree>(git, commit);
}

Result<std::unique_ptr<Tree>> tree_of(const std::string& directory) {
    auto top = sys::open(directory, O_RDONLY | O_DIRECTORY);
    if (!top) return fail_errno("read " + directory, top.error().code);
    return std::make_unique<DirectoryTree>(std::move(*top));
}

std::optional<std::string> resolved(const Tree& tree, const std::string& path) {
    constexpr int kMostLinks = 40;  // as the kernel. path_resolution(7)
    int links = 0;
    std::vector<std::string> ahead;  // the next part last
    const auto push = [&ahead](std::string_view text) {
        const auto parts = split(text, '/');
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) ahead.emplace_back(*part);
    };
    if (path.starts_with('/')) return std::nullopt;
    push(path);
    std::string at;
    while (!ahead.empty()) {
        const auto part = std::move(ahead.back());
        ahead.pop_back();
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (at.empty()) return std::nullopt;
            at = above(at);
            continue;
        }
        const auto next = below(at, part);
        const auto kind = tree.kind(next);
        if (!kind) return std::nullopt;
        if (*kind != NodeKind::link) {
            at = next;
            continue;
        }
        const auto target = tree.bytes(next, 4096);
        if (++links > kMostLinks || !target || target->starts_with('/')) return std::nullopt;
        push(*target);
    }
    return at;
}

}  // namespace guard::review
