#include "base/kept_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/sys.h"
#include "base/trusted_file.h"

namespace guard {
namespace {

constexpr std::size_t kMostFiles = 256;  // of some kilobytes each; beyond them, all begins anew
constexpr std::size_t kMostBytes = 4U << 20U;
constexpr std::size_t kDigest = 64;
constexpr std::string_view kHeader = "guard kept 1\n";

std::string head_of(const std::string& key, std::string_view bytes) {
    return fmt::format("{}{}\n{}\n", kHeader, key, digest_of(bytes));
}

}  // namespace

std::optional<std::string> KeptFiles::get(const std::string& key) const {
    constexpr std::size_t kHead = kHeader.size() + 2 * (kDigest + 1);
    if (directory_.empty()) return std::nullopt;
    const auto file = open_trusted(path_of(key), ::geteuid());
    if (!file) return std::nullopt;
    const auto bytes = sys::read_all(file->get(), path_of(key), kMostBytes);
    if (!bytes || bytes->size() <= kHead) return std::nullopt;
    auto kept = bytes->substr(kHead);
    if (!bytes->starts_with(head_of(key, kept))) return std::nullopt;
    return kept;
}

// Of other times, and what a crash left.
void KeptFiles::make_room() const {
    const auto names = sys::list_directory(AT_FDCWD, directory_);
    if (!names || names->size() < kMostFiles) return;
    for (const auto& name : *names) ::unlink(path_of(name).c_str());
}

// No fsync: a file that a crash cut off does not have the digest it says.
void KeptFiles::keep(const std::string& key, std::string_view bytes) const {
    constexpr mode_t kOwnDirectory = 0700;
    constexpr mode_t kOwnFile = 0600;
    if (directory_.empty() || !sys::make_directories(directory_, kOwnDirectory)) return;
    make_room();
    static_cast<void>(
        sys::replace_file(path_of(key), head_of(key, bytes).append(bytes), kOwnFile, sys::Sync::no));
}

}  // namespace guard
