#include "policies/filter_cache.h"

#include <cstdint>
#include <string_view>

#include "base/digest.h"
#include "base/kept_files.h"
#include "policies/filter_compile.h"
#include "posture/syscall_abi.h"

namespace guard::policies {
namespace {

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

}  // namespace

std::string cache_key(const FilterRules& rules) {
    auto text = text_of(rules);
    append(text, compiler_version());
    append(text, syscall_tables_version());
    return digest_of(text);
}

Result<std::string> cached_filter(const FilterRules& rules, const std::string& directory) {
    const KeptFiles kept(directory);
    const auto key = cache_key(rules);
    if (auto program = kept.get(key)) return *std::move(program);
    auto program = TRY(compile_filter(rules));
    kept.keep(key, program);
    return program;
}

}  // namespace guard::policies
