#include "policies/key.h"

#include <algorithm>

#include "base/split.h"

namespace guard::policies {
namespace {

std::string_view parent_of(std::string_view path) {
    const auto dot = path.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

}  // namespace

KeyIndex::KeyIndex(std::span<const Key> keys) {
    for (const auto& key : keys) {
        const auto table = parent_of(key.path);
        auto row = std::ranges::find(tables_, table, &decltype(tables_)::value_type::first);
        if (row == tables_.end()) row = tables_.insert(row, {std::string(table), {}});
        row->second.push_back(&key);
    }
    std::ranges::sort(tables_, {}, &decltype(tables_)::value_type::first);
}

const std::vector<const Key*>& KeyIndex::children(std::string_view table) const {
    static const std::vector<const Key*> kNone;
    const auto row = std::ranges::lower_bound(tables_, table, {}, &decltype(tables_)::value_type::first);
    return row == tables_.end() || row->first != table ? kNone : row->second;
}

const Key* KeyIndex::child(std::string_view table, std::string_view name) const {
    for (const auto* key : children(table))
        if (key_name(*key) == name || key_name(*key) == "*") return key;
    return nullptr;
}

const KeyIndex& profile_index() {
    static const KeyIndex index(profile_keys());
    return index;
}
const KeyIndex& group_index() {
    static const KeyIndex index(group_keys());
    return index;
}

std::string_view key_name(const Key& key) { return key.path.substr(key.path.rfind('.') + 1); }

std::vector<std::string_view> words_in(std::string_view list) { return split(list, '|'); }

std::optional<std::size_t> word_index(const Key& key, std::string_view text) {
    const auto words = words_in(key.words);
    const auto row = std::ranges::find(words, text);
    if (row == words.end()) return std::nullopt;
    return static_cast<std::size_t>(row - words.begin());
}

std::string format_path(const std::vector<std::string>& path) {
    std::string text;
    for (const auto& part : path) text += (text.empty() ? "" : ".") + part;
    return text;
}

}  // namespace guard::policies
