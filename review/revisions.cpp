#include "review/revisions.h"

#include <fmt/format.h>

#include <filesystem>

namespace guard::review {
namespace {

namespace fs = std::filesystem;

bool is_written_as_path(const std::string& text) {
    return text.starts_with('/') || text.starts_with('.') || text.ends_with(".toml") ||
           text.ends_with(".json");
}

class Opener {
public:
    explicit Opener(const Request& request) : request_(&request) {}

    Result<Revisions> open() {
        made_.base.name = "the base";
        made_.head.name = "the head";
        made_.base.shipped = made_.head.shipped = request_->shipped;
        CHECK(head());
        CHECK(base());
        return std::move(made_);
    }

private:
    Result<Git*> git() {
        if (!made_.git) made_.git = std::make_unique<Git>(TRY(Git::open(request_->folder)));
        return made_.git.get();
    }

    Result<void> head() {
        if (!request_->head.empty()) return side(made_.head, made_.head_paths, request_->head, &head_commit_);
        auto* repository = TRY(git());
        if (repository->top().empty())
            return fail("find the head", "a bare repository has no work tree", "say --head REV");
        made_.head.tree = TRY(tree_of(repository->top()));
        made_.head.root = repository->top();
        made_.head.says = "the work tree";
        made_.head_paths = TRY(paths_in(repository->top()));
        return {};
    }

    Result<void> base() {
        if (!request_->base.empty()) return side(made_.base, made_.base_paths, request_->base, nullptr);
        auto* repository = TRY(git());
        const auto main = TRY(repository->commit("origin/HEAD"));
        if (!main)
            return fail("find the base", "this repository has no origin/HEAD",
                        "say --base REV, or: git remote set-head origin --auto");
        if (head_commit_.empty())
            if (const auto here = TRY(repository->commit("HEAD"))) head_commit_ = *here;
        if (head_commit_.empty()) return fail("find the base", "there is no commit yet", "say --base REV");
        return revision(made_.base, made_.base_paths, TRY(repository->merge_base(*main, head_commit_)),
                        "the merge base of origin/HEAD");
    }

    Result<void> side(Side& made, std::vector<std::string>& paths, const std::string& text,
                      std::string* commit) {
        std::error_code ignored;
        const auto place = fs::path(request_->folder) / text;
        const bool exists = fs::exists(place, ignored);
        if (exists && is_written_as_path(text)) return path(made, paths, place, text);
        const auto repository = git();
        const auto id =
            repository ? (*repository)->commit(text) : Result<std::optional<std::string>>(std::nullopt);
        if (!id) return std::unexpected(id.error());
        if (*id && exists)
            return fail(
                "review " + text, "there is a revision and a file or directory of this name",
                fmt::format("write ./{} for the one on disk, or refs/heads/{} for the branch", text, text));
        if (*id && commit != nullptr) *commit = **id;
        if (*id) return revision(made, paths, **id, text);
        if (exists) return path(made, paths, place, text);
        if (!repository && !is_written_as_path(text)) return std::unexpected(repository.error());
        return fail("review " + text, "there is no revision, directory or file of this name",
                    "git fetch may bring it; git log --oneline --all shows what there is");
    }

    Result<void> revision(Side& made, std::vector<std::string>& paths, const std::string& id,
                          const std::string& text) {
        auto* repository = TRY(git());
        made.tree = tree_of(*repository, id);
        made.says = fmt::format("{} ({:.7})", text, id);
        const auto top = repository->top().empty() ? request_->folder : repository->top();
        made.root = top;
        paths = TRY(paths_in(top));
        return {};
    }

    Result<void> path(Side& made, std::vector<std::string>& paths, const fs::path& place,
                      const std::string& text) {
        std::error_code ignored;
        made.says = text;
        if (fs::is_directory(place, ignored)) {
            made.tree = TRY(tree_of(place.string()));
            made.root = fs::absolute(place, ignored).lexically_normal().string();
            paths = request_->paths;
            // A folder of profiles, or one like a repository, with the folder in it.
            const bool like_a_repository =
                made.tree->kind(kRequirementsFile) || made.tree->kind("profiles") == NodeKind::directory;
            if (paths.empty() && !like_a_repository) paths = {"."};
            return {};
        }
        if (!fs::is_regular_file(place, ignored)) return fail("review " + text, "it is no regular file");
        made.is_file = true;
        const auto folder = place.parent_path();
        made.tree = TRY(tree_of(folder.empty() ? std::string(".") : folder.string()));
        made.root = fs::absolute(folder, ignored).lexically_normal().string();
        paths = {place.filename().string()};
        return {};
    }

    // The paths of the request, which begin where the caller stands, from the top of the repository.
    Result<std::vector<std::string>> paths_in(const std::string& top) {
        std::vector<std::string> paths;
        std::error_code code;
        const auto root = fs::canonical(top, code);
        const auto here = fs::canonical(request_->folder, code);
        for (const auto& text : request_->paths) {
            const auto inside = (fs::path(text).is_absolute() ? fs::path(text) : here / text)
                                    .lexically_normal()
                                    .lexically_relative(root);
            if (inside.empty() || *inside.begin() == "..")
                return fail("review " + text, fmt::format("it is not in the repository {}", root.string()));
            paths.push_back(inside.string());
        }
        return paths;
    }

    const Request* request_;
    Revisions made_;
    std::string head_commit_;
};

}  // namespace

Result<Revisions> open_revisions(const Request& request) { return Opener(request).open(); }

}  // namespace guard::review
