#include "report/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace guard::report {
namespace {

// What may follow a first byte: no longer form of a character than it needs, no surrogate, nothing above
// U+10FFFF. Unicode, table 3-7
struct LeadRow {
    unsigned char first, last;  // first byte
    std::size_t size;           // of the character
    unsigned char least, most;  // second byte
};
constexpr auto kLeads = std::to_array<LeadRow>({
    {0xC2, 0xDF, 2, 0x80, 0xBF},
    {0xE0, 0xE0, 3, 0xA0, 0xBF},
    {0xE1, 0xEC, 3, 0x80, 0xBF},
    {0xED, 0xED, 3, 0x80, 0x9F},
    {0xEE, 0xEF, 3, 0x80, 0xBF},
    {0xF0, 0xF0, 4, 0x90, 0xBF},
    {0xF1, 0xF3, 4, 0x80, 0xBF},
    {0xF4, 0xF4, 4, 0x80, 0x8F},
});

// Bytes of the character at the start of `text`; 0 where it is no UTF-8.
std::size_t character_size(std::string_view text) {
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    if (byte(0) < 0x80U) return 1;
    const auto* const row = std::ranges::find_if(
        kLeads, [&](const LeadRow& lead) { return byte(0) >= lead.first && byte(0) <= lead.last; });
    if (row == kLeads.end() || text.size() < row->size) return 0;
    if (byte(1) < row->least || byte(1) > row->most) return 0;
    const auto continues = [](char one) { return (static_cast<unsigned char>(one) & 0xC0U) == 0x80U; };
    return std::ranges::all_of(text.substr(1, row->size - 1), continues) ? row->size : 0;
}

// Characters a terminal obeys instead of showing: C0, DEL, and C1 in its UTF-8 form.
bool is_control(std::string_view character) {
    const auto lead = static_cast<unsigned char>(character.front());
    if (character.size() == 1) return lead < 0x20U || lead == 0x7FU;
    return lead == 0xC2U && static_cast<unsigned char>(character[1]) < 0xA0U;
}

std::string shown(std::string_view character) {
    if (!is_control(character)) return std::string(character);
    return fmt::format("\\x{:02x}", static_cast<unsigned char>(character.back()));
}

}  // namespace

std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    for (; !text.empty(); ++width) text.remove_prefix(std::max<std::size_t>(character_size(text), 1));
    return width;
}

std::string printable(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto size = character_size(text);
        result += size == 0 ? "?" : shown(text.substr(0, size));
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    return result;
}

std::string padded(std::string_view text, std::size_t width) {
    const auto has = width_of(text);
    return std::string(text) + std::string(width > has ? width - has : 0, ' ');
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
    std::vector<std::string> lines{""};
    while (!text.empty()) {
        const auto word = text.substr(0, text.find(' '));
        auto& line = lines.back();
        if (!line.empty() && width_of(line) + 1 + width_of(word) > width)
            lines.emplace_back(word);
        else
            line += (line.empty() ? "" : " ") + std::string(word);
        text.remove_prefix(std::min(word.size() + 1, text.size()));
    }
    return lines;
}

std::string two_sided(std::string_view left, std::string_view right, std::size_t width) {
    if (right.empty()) return std::string(left) + "\n";
    if (width_of(left) + 2 + width_of(right) <= width)
        return fmt::format("{}{}\n", padded(left, width - width_of(right)), right);
    const auto room = width > width_of(right) ? width - width_of(right) : 0;
    return fmt::format("{}\n{}{}\n", left, std::string(room, ' '), right);
}

std::string hanging(std::string_view first, std::size_t indent, std::string_view text, std::size_t width) {
    std::string result;
    auto margin = padded(first, indent);
    for (const auto& line : wrap(text, width - indent)) {
        result += margin + line + "\n";
        margin = std::string(indent, ' ');
    }
    return result;
}

std::string shortened(std::string_view text, std::size_t most) {
    if (text.size() <= most) return std::string(text);
    const auto lines = [](std::string_view part) {
        return static_cast<std::size_t>(std::ranges::count(part, '\n'));
    };
    const auto ending = [](std::size_t left) {
        return fmt::format("\n{} left out\n", counted(left, "line"));
    };
    const auto longest = ending(lines(text)).size();
    if (most < longest) return {};
    const auto end = text.rfind('\n', most - longest);
    const auto kept = end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
    return std::string(kept) + ending(lines(text) - lines(kept));
}

std::string listed(std::span<const std::string> items) { return fmt::format("{}", fmt::join(items, ", ")); }

std::string counted(std::size_t count, std::string_view one) {
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

std::string columns(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
    }
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) line += padded(row[i], widths[i] + 2);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

}  // namespace guard::report
