#include "review/git.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <map>

#include "base/split.h"

namespace guard::review {
namespace {

// Of the caller's environment, what says where things are; nothing that makes git run something.
constexpr std::array<const char*, 6> kInherited{
    "PATH", "HOME", "XDG_CONFIG_HOME", "GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"};

std::map<std::string, std::string> environment() {
    std::map<std::string, std::string> variables{
        {"LC_ALL", "C"},
        {"GIT_CONFIG_NOSYSTEM", "1"},
        {"GIT_TERMINAL_PROMPT", "0"},
        {"GIT_NO_LAZY_FETCH", "1"},
        {"GIT_OPTIONAL_LOCKS", "0"},
        {"GIT_NO_REPLACE_OBJECTS", "1"},
    };
    for (const auto* name : kInherited)
        if (const char* value = std::getenv(name); value != nullptr) variables[name] = value;
    return variables;
}

// The command line outranks the repository's own configuration, which a stranger may have written.
std::vector<std::string> command(const std::string& folder, std::vector<std::string> words) {
    std::vector<std::string> argv{"git",
                                  "--no-pager",
                                  "--no-optional-locks",
                                  "--no-replace-objects",
                                  "-c",
                                  "core.fsmonitor=false",
                                  "-c",
                                  "core.hooksPath=/dev/null",
                                  "-c",
                                  "protocol.allow=never",
                                  "-C",
                                  folder};
    argv.insert(argv.end(), words.begin(), words.end());
    return argv;
}

Result<Conversation::Ended> run(const std::string& folder, std::vector<std::string> words) {
    auto git = TRY(Conversation::start(command(folder, std::move(words)), environment()));
    return git.end();
}

std::string first_line(const std::string& text) {
    auto line = text.substr(0, text.find('\n'));
    if (line.starts_with("fatal: ")) line.erase(0, 7);
    return line;
}

std::unexpected<Error> no_repository(const std::string& folder, const std::string& said) {
    const auto attempt = fmt::format("read the git repository of {}", folder);
    if (said.find("dubious ownership") != std::string::npos)
        return fail(attempt, "it belongs to somebody else, whose settings git would obey",
                    fmt::format("git config --global --add safe.directory {}", folder));
    if (said.find("not a git repository") != std::string::npos)
        return fail(
            attempt, "there is none",
            "run guard review in a repository, or give two directories or files with --base and --head");
    return fail(attempt, first_line(said));
}

}  // namespace

Result<Git> Git::open(const std::string& folder) {
    // The last answer is left out by a bare repository, which has no work tree, and may hold any character.
    const auto asked = TRY(run(folder, {"rev-parse", "--is-bare-repository", "--is-shallow-repository",
                                        "--is-inside-work-tree", "--show-toplevel"}));
    const auto lines = split(asked.out, '\n');
    if (lines.size() < 3) return no_repository(folder, asked.err);
    auto batch = TRY(Conversation::start(command(folder, {"cat-file", "--batch"}), environment()));
    Git git(folder, std::move(batch));
    git.shallow_ = lines[1] == "true";
    const auto head = lines[0].size() + lines[1].size() + lines[2].size() + 3;
    if (asked.status == 0 && asked.out.size() > head)
        git.top_ = asked.out.substr(head, asked.out.size() - head - 1);
    return git;
}

Result<std::optional<GitObject>> Git::object(const std::string& name, std::size_t most) {
    if (name.find('\n') != std::string::npos) return std::optional<GitObject>();
    CHECK(batch_.say(name + "\n"));
    const auto answer = TRY(batch_.line());
    if (answer == name + " missing") return std::optional<GitObject>();
    if (answer == name + " ambiguous")
        return fail("read " + name, "more than one object begins so", "write more of its digits");
    const auto parts = split(answer, ' ');
    if (parts.size() != 3) return fail("read " + name, "git answered: " + answer);
    const auto size = std::strtoull(std::string(parts[2]).c_str(), nullptr, 10);
    GitObject object{std::string(parts[0]), std::string(parts[1]), ""};
    constexpr std::size_t kPiece = 1U << 20U;
    for (std::size_t left = size; left > 0;) {
        const auto piece = TRY(batch_.bytes(std::min(left, kPiece)));
        left -= piece.size();
        if (size <= most) object.bytes += piece;
    }
    TRY(batch_.bytes(1));  // the newline behind it
    if (size > most) return fail("read it", fmt::format("it has {} bytes, more than {}", size, most));
    return object;
}

Result<std::optional<std::string>> Git::commit(const std::string& revision) {
    if (revision.empty()) return std::optional<std::string>();
    constexpr std::size_t kMostMessage = 16U << 20U;
    const auto found = TRY(object(revision + "^{commit}", kMostMessage));
    if (!found || found->type != "commit") return std::optional<std::string>();
    return found->id;
}

Result<std::string> Git::merge_base(const std::string& one, const std::string& other) {
    const auto found = TRY(run(folder_, {"merge-base", one, other}));
    if (found.status == 0 && !found.out.empty()) return found.out.substr(0, found.out.find('\n'));
    const auto attempt = fmt::format("find the common ancestor of {:.10} and {:.10}", one, other);
    if (shallow_)
        return fail(attempt, "this clone holds only a part of the history",
                    "git fetch --unshallow (actions/checkout: fetch-depth: 0), or say --base REV");
    return fail(attempt, "their histories have none", "say what to compare with: --base REV");
}

}  // namespace guard::review
