#pragma once
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

namespace guard {

/// The parts of `text` between separators; the end of the last line is no part of its own.
[[nodiscard]] inline std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const auto end = text.find(separator);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return parts;
}
[[nodiscard]] inline std::vector<std::string_view> lines_of(std::string_view text) {
    return split(text, '\n');
}

/// The words of `text` between runs of blanks and tabs.
[[nodiscard]] inline std::vector<std::string_view> words_of(std::string_view text) {
    std::vector<std::string_view> words;
    constexpr std::string_view kBlank = " \t";
    for (auto at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
        const auto end = text.find_first_of(kBlank, at);
        words.push_back(text.substr(at, end - at));
        at = text.find_first_not_of(kBlank, end);
    }
    return words;
}

/// All of `text` as a number, or none.
template <class T>
[[nodiscard]] std::optional<T> number_of(std::string_view text, int base = 10) {
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace guard
