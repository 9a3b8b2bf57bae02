#include "policies/filter_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/digest.h"
#include "base/sys.h"
#include "base/trusted_file.h"
#include "policies/filter_compile.h"
#include "posture/syscall_abi.h"

namespace guard::policies {
namespace {

constexpr std::size_t kMostFiles = 256;  // of some kilobytes each; beyond them, all begins anew
constexpr std::size_t kDigest = 64;
constexpr std::size_t kMostBytes = 2 * kDigest + 32 + BPF_MAXINSNS * sizeof(sock_filter);
constexpr std::string_view kHeader = "guard filter 1\n";

void append(std::string& text, std::uint64_t number) {
    text.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// With its length in front, so that no two lists of words are one text.
void append(std::string& text, std::string_view word) {
    append(text, word.size());
    text += word;
}

// Most arguments are not asked for: only the others are written, with their places.
void append(std::string& text, const Cube& cube) {
    for (std::size_t i = 0; i < cube.mask.size(); ++i) {
        if (cube.mask[i] == 0) continue;
        append(text, i);
        append(text, cube.mask[i]);
        append(text, cube.value[i]);
    }
    append(text, cube.mask.size());
}

// Everything of the rules that is in the program.
std::string text_of(const FilterRules& rules) {
    std::string text;
    append(text, rules.calls.size());
    for (const auto& [call, rule] : rules.calls) {
        append(text, call);
        append(text, rule.when.size());
        for (const auto& cube : rule.when) append(text, cube);
    }
    for (const auto* words : {&rules.absent, &rules.abis}) {
        append(text, words->size());
        for (const auto& word : *words) append(text, word);
    }
    append(text, static_cast<std::uint64_t>(rules.on_denied));
    append(text, static_cast<std::uint64_t>(rules.on_unknown));
    return text;
}

std::string head_of(const std::string& key, std::string_view program) {
    return fmt::format("{}{}\n{}\n", kHeader, key, digest_of(program));
}

// The program in a file, where it is the one asked for and whole.
std::optional<std::string> program_in(std::string bytes, const std::string& key) {
    constexpr std::size_t head = kHeader.size() + 2 * (kDigest + 1);
    if (bytes.size() <= head) return std::nullopt;
    const auto program = std::string_view(bytes).substr(head);
    if (!bytes.starts_with(head_of(key, program))) return std::nullopt;
    return bytes.substr(head);
}

std::optional<std::string> load(const std::string& path, const std::string& key) {
    const auto file = open_trusted(path, ::geteuid());
    if (!file) return std::nullopt;
    auto bytes = sys::read_all(file->get(), path, kMostBytes);
    if (!bytes) return std::nullopt;
    return program_in(*std::move(bytes), key);
}

// Programs of other times, and what a crash left.
void make_room(const std::string& directory) {
    const auto names = sys::list_directory(AT_FDCWD, directory);
    if (!names || names->size() < kMostFiles) return;
    for (const auto& name : *names) ::unlink((directory + "/" + name).c_str());
}

// A cache that can't be written is no reason not to launch. No fsync: a file that a crash cut off does not
// have the digest it says.
void store(const std::string& directory, const std::string& path, const std::string& key,
           const std::string& program) {
    constexpr mode_t own_directory = 0700;
    constexpr mode_t own_file = 0600;
    if (!sys::make_directories(directory, own_directory)) return;
    make_room(directory);
    (void)sys::replace_file(path, head_of(key, program) + program, own_file, sys::Sync::no);
}

}  // namespace

std::string cache_key(const FilterRules& rules) {
    auto text = text_of(rules);
    append(text, compiler_version());
    append(text, syscall_tables_version());
    return digest_of(text);
}

Result<std::string> cached_filter(const FilterRules& rules, const std::string& directory) {
    const auto key = cache_key(rules);
    const auto path = fmt::format("{}/{}", directory, key);
    if (auto program = load(path, key)) return *std::move(program);
    auto program = TRY(compile_filter(rules));
    store(directory, path, key, program);
    return program;
}

}  // namespace guard::policies
