#include "policies/sources.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>

#include "base/split.h"
#include "base/sys.h"
#include "base/trusted_file.h"

namespace guard::policies {
namespace {

struct FileKind {
    mode_t type;
    std::string_view says;
};
constexpr auto kNoProfiles = std::to_array<FileKind>({
    {S_IFDIR, "it is a directory"},
    {S_IFIFO, "it is a FIFO"},
    {S_IFSOCK, "it is a socket"},
    {S_IFCHR, "it is a device"},
    {S_IFBLK, "it is a device"},
});

Result<void> want_regular(const std::string& path, mode_t mode) {
    if (S_ISREG(mode)) return {};
    const auto* const row = std::ranges::find(kNoProfiles, mode & S_IFMT, &FileKind::type);
    return fail("cannot read " + path,
                row == kNoProfiles.end() ? "it is no regular file" : std::string(row->says) + ", not a file");
}

// Looked at before it is opened: opening a FIFO waits for a writer, opening a device can do things.
Result<UniqueFd> open_regular(const std::string& path) {
    const auto attempt = "cannot read " + path;
    const auto looked = sys::open(path, O_PATH);
    if (!looked) return fail_errno(attempt, looked.error().code);
    CHECK(want_regular(path, TRY(sys::fstat(looked->get())).st_mode));
    auto file = sys::open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!file) return fail_errno(attempt, file.error().code);
    CHECK(want_regular(path, TRY(sys::fstat(file->get())).st_mode));
    return file;
}

class Disk final : public Files {
public:
    [[nodiscard]] Result<SourceText> read(const std::string& path, LoadOptions::Trust trust) const override;

    [[nodiscard]] std::optional<FileId> id(const std::string& path) const override {
        const auto status = sys::fstatat(AT_FDCWD, path);
        if (!status) return std::nullopt;
        return FileId{status->st_dev, status->st_ino};
    }

    [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override {
        return sys::list_directory(AT_FDCWD, directory).value_or(std::vector<std::string>());
    }
};

std::optional<std::string> existing(const Files& files, const std::string& path) {
    if (files.id(path)) return path;
    return std::nullopt;
}

// Where a search for the child's own name goes on: behind the directory that holds the child.
std::size_t after_directory_of(const std::string& child, const LoadOptions& options) {
    const auto& files = files_of(options);
    const auto own = files.id(directory_of(child));
    const auto row = std::ranges::find_if(
        options.search_path, [&](const std::string& directory) { return own && files.id(directory) == own; });
    return row == options.search_path.end() ? 0
                                            : static_cast<std::size_t>(row - options.search_path.begin()) + 1;
}

Result<SourceText> Disk::read(const std::string& path, LoadOptions::Trust trust) const {
    const auto file = TRY(open_regular(path));
    const auto status = TRY(sys::fstat(file.get()));
    SourceText source{"", {status.st_dev, status.st_ino}, std::nullopt};
    const auto trusted = open_trusted(path, ::geteuid());
    if (!trusted) source.distrust = trusted.error();
    if (source.distrust && trust == LoadOptions::Trust::owner_only) return std::unexpected(*source.distrust);
    auto bytes = sys::read_all(trusted ? trusted->get() : file.get(), path, kMostBytes + 1);
    if (!bytes && bytes.error().code != 0) return fail_errno("cannot read " + path, bytes.error().code);
    if (!bytes) return fail("cannot read " + path, "it is larger than 1 MiB, which no profile needs");
    source.bytes = std::move(*bytes);
    return source;
}

}  // namespace

const Files& disk() {
    static const Disk kDisk;
    return kDisk;
}

const Files& files_of(const LoadOptions& options) {
    return options.files == nullptr ? disk() : *options.files;
}

Diagnostic distrusted(const std::string& path, const Error& why) {
    return {Level::note,
            fmt::format("launch would refuse it: {}", why.reason),
            {Mark{{path, 0, 0}, "", 1, why.fix}},
            "profile.writable-by-others",
            path};
}

std::string stem_of(const std::string& path) {
    auto name = path.substr(path.rfind('/') + 1);
    if (name.ends_with(".toml")) name.resize(name.size() - 5);
    return name;
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

std::optional<std::string> find_parent(const std::string& wanted, const std::string& child,
                                       const LoadOptions& options) {
    const auto& files = files_of(options);
    if (is_path(wanted))
        return existing(files, wanted.starts_with('/') ? wanted : directory_of(child) + "/" + wanted);
    const auto own = files.id(child);
    const auto name = "/" + wanted + ".toml";
    const bool own_name = stem_of(child) == wanted;
    if (!own_name)
        if (auto beside = existing(files, directory_of(child) + name); beside && files.id(*beside) != own)
            return beside;
    for (auto at = own_name ? after_directory_of(child, options) : 0; at < options.search_path.size(); ++at)
        if (auto found = existing(files, options.search_path[at] + name); found && files.id(*found) != own)
            return found;
    return std::nullopt;
}

std::optional<std::string> find_group(const std::string& group, const std::string& named_in,
                                      const LoadOptions& options) {
    const auto& files = files_of(options);
    const auto name = "/" + group.substr(1) + ".toml";
    const auto beside = directory_of(named_in);
    if (auto found = existing(files, beside + "/groups" + name)) return found;
    // A group that includes another is in groups/ itself.
    if (beside.ends_with("groups"))
        if (auto found = existing(files, beside + name)) return found;
    for (const auto& directory : options.search_path)
        if (auto found = existing(files, directory + "/groups" + name)) return found;
    return std::nullopt;
}

std::vector<std::string> names_in(const std::vector<std::string>& directories, const Files& files) {
    std::set<std::string> names;
    for (const auto& directory : directories)
        for (const auto& file : files.list(directory))
            if (file.ends_with(".toml")) names.insert(stem_of(file));
    return {names.begin(), names.end()};
}

}  // namespace guard::policies

namespace guard {

std::vector<std::string> default_search_path(const std::string& install_prefix) {
    std::vector<std::string> path;
    if (const char* own = std::getenv("GUARD_PROFILE_PATH"); own != nullptr)
        for (const auto part : split(own, ':'))
            if (!part.empty()) path.emplace_back(part);
    if (const char* config = std::getenv("XDG_CONFIG_HOME"); config != nullptr && *config == '/')
        path.push_back(std::string(config) + "/guard/profiles");
    else if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
        path.push_back(std::string(home) + "/.config/guard/profiles");
    path.emplace_back("/etc/guard/profiles");
    path.push_back(install_prefix + "/share/guard/profiles");
    return path;
}

std::vector<std::string> profile_names(const std::vector<std::string>& search_path) {
    return policies::names_in(search_path);
}

}  // namespace guard
