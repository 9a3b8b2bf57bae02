#include "policies/nearest.h"

#include <fmt/format.h>

#include <algorithm>

namespace guard {
namespace {

std::string lower(std::string_view text) {
    std::string made(text);
    for (auto& c : made)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return made;
}

// Letters changed, left out, added, or two neighbours swapped (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before, last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = a[i - 1] == b[j - 1];
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
        before = last;
        last = row;
    }
    return last[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
    constexpr std::size_t kMostLetters = 64;  // nobody mistypes a word longer than that
    constexpr std::size_t kTelling = 4;       // letters that a part of a word needs to stand for it
    if (word.empty() || word.size() > kMostLetters) return std::nullopt;
    const auto wanted = lower(word);
    std::size_t best = std::max<std::size_t>(1, wanted.size() / 3) + 1;
    std::string_view found, holder;
    std::size_t holders = 0;
    for (const auto candidate : candidates) {
        const auto name = lower(candidate);
        if (wanted.size() >= kTelling && name.find(wanted) != std::string::npos)
            holder = candidate, ++holders;
        const auto apart = std::max(name.size(), wanted.size()) - std::min(name.size(), wanted.size());
        if (apart >= best) continue;
        if (const auto steps = distance(wanted, name); steps < best) best = steps, found = candidate;
    }
    if (found.empty() && holders == 1) found = holder;
    if (found.empty()) return std::nullopt;
    return std::string(found);
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string otherwise) {
    const auto meant = nearest(word, candidates);
    return meant ? fmt::format("did you mean `{}`?", *meant) : std::move(otherwise);
}

}  // namespace guard
