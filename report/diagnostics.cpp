#include "report/diagnostics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "report/layout.h"

namespace guard::report {
namespace {

constexpr std::array<Severity, 3> kLevelColours{Severity::high, Severity::medium, Severity::low};

// A line as it is shown: where each of its characters begins, in columns of the page.
struct ShownLine {
    std::string text;
    std::vector<std::size_t> starts;  // of character n, and of the end of the line
};

std::vector<std::string> characters_of(std::string_view line) {
    std::vector<std::string> all;
    while (!line.empty()) {
        std::size_t size = 1;
        while (size < line.size() && (static_cast<unsigned char>(line[size]) & 0xC0U) == 0x80U) ++size;
        all.push_back(line[0] == '\t' ? std::string("    ") : printable(line.substr(0, size)));
        line.remove_prefix(size);
    }
    return all;
}

ShownLine shown(std::string_view line) {
    ShownLine result;
    std::size_t at = 0;
    for (const auto& character : characters_of(line)) {
        result.starts.push_back(at);
        result.text += character;
        at += width_of(character);
    }
    result.starts.push_back(at);
    return result;
}

// What stands under a line for one mark.
struct Caret {
    std::size_t begin, end;
    std::string note;
};

std::size_t start_of(const ShownLine& line, std::size_t character) {
    const auto last = line.starts.size() - 1;
    return character <= last ? line.starts[character] : line.starts[last];
}

Caret caret_of(const ShownLine& line, const Mark& mark) {
    const auto first = std::max(mark.where.column, 1U) - 1;
    const auto begin = start_of(line, first);
    return {begin, std::max(start_of(line, first + std::max(mark.length, 1U)), begin + 1), mark.note};
}

// The text from column `begin` to `end` of the page.
std::string slice(const ShownLine& line, std::size_t begin, std::size_t end) {
    std::string result;
    std::size_t at = 0;
    for (const auto& character : characters_of(line.text)) {
        if (at >= begin && at < end) result += character;
        ++at;
    }
    return result;
}

// Leaves of a long line what is around its carets, with "..." where something was cut, and moves the carets.
std::string shortened(const ShownLine& line, std::vector<Caret>& carets, std::size_t room) {
    const auto width = line.starts.back();
    if (width <= room) return line.text;
    const auto first = carets.front().begin;
    const auto begin = first <= room / 2 ? 0 : std::min(first - room / 2, width - room);
    const bool cut_left = begin > 0;
    const bool cut_right = begin + room < width;
    constexpr std::size_t kDots = 3;
    const auto text =
        fmt::format("{}{}{}", cut_left ? "..." : "",
                    slice(line, begin + (cut_left ? kDots : 0), begin + room - (cut_right ? kDots : 0)),
                    cut_right ? "..." : "");
    for (auto& caret : carets) {
        caret.begin = std::clamp(caret.begin, begin, begin + room - 1) - begin;
        caret.end = std::clamp(caret.end, begin + caret.begin + 1, begin + room) - begin;
    }
    return text;
}

// The carets of one line with the note of the last behind it, then the other notes below their carets.
std::string under_line(const std::vector<Caret>& carets, const std::string& margin) {
    std::string row;
    for (const auto& caret : carets) {
        row.resize(std::max(row.size(), caret.begin), ' ');
        row.resize(std::max(row.size(), caret.end), '^');
    }
    std::string text;
    const auto noted = [&text, &margin](const std::string& before, std::size_t column,
                                        const std::string& note) {
        const auto indent = margin.size() + column;
        constexpr std::size_t kLeastRoom = 24;
        if (note.empty())
            text += margin + before + "\n";
        else if (indent + kLeastRoom < kPageWidth)
            text += hanging(margin + before, indent, printable(note));
        else
            text += margin + before + "\n" + hanging(margin, margin.size(), printable(note));
    };
    noted(row, row.size() + 1, carets.back().note);
    for (std::size_t i = carets.size() - 1; i-- > 0;)
        if (!carets[i].note.empty()) noted("", carets[i].begin, carets[i].note);
    return text;
}

// Marks on one line of one file, in order of their columns.
std::string marked_line(std::span<const Mark> marks) {
    const auto& first = marks.front();
    std::string text = fmt::format("  {}\n", printable(format_where(first.where)));
    if (first.line.empty()) {
        for (const auto& mark : marks)
            if (!mark.note.empty()) text += hanging("", 4, printable(mark.note));
        return text;
    }
    const auto number = std::to_string(first.where.line);
    const auto line = shown(first.line);
    std::vector<Caret> carets;
    for (const auto& mark : marks) carets.push_back(caret_of(line, mark));
    std::ranges::stable_sort(carets, {}, &Caret::begin);
    const auto code = shortened(line, carets, kPageWidth - number.size() - 5);
    text += fmt::format("  {} | {}\n", number, code);
    return text + under_line(carets, fmt::format("  {} | ", std::string(number.size(), ' ')));
}

bool same_line(const Mark& a, const Mark& b) {
    return a.where.file == b.where.file && a.where.line == b.where.line && a.where.line != 0;
}

std::string one(const Diagnostic& diagnostic, Colour colour) {
    const auto level = static_cast<std::size_t>(diagnostic.level);
    const auto head = fmt::format("{}:", level_name(diagnostic.level));
    auto text = hanging(head, head.size() + 1, printable(diagnostic.message));
    text.replace(0, head.size() - 1, painted(level_name(diagnostic.level), kLevelColours.at(level), colour));
    const std::span marks(diagnostic.marks);
    for (std::size_t begin = 0; begin < marks.size();) {
        auto end = begin + 1;
        while (end < marks.size() && same_line(marks[begin], marks[end])) ++end;
        text += marked_line(marks.subspan(begin, end - begin));
        begin = end;
    }
    return text;
}

}  // namespace

std::string_view level_name(Level level) {
    constexpr std::array<std::string_view, 3> kNames{"error", "warning", "note"};
    return kNames.at(static_cast<std::size_t>(level));
}

std::string diagnostics_text(std::span<const Diagnostic> diagnostics, Colour colour) {
    std::string text;
    for (const auto& diagnostic : diagnostics) text += one(diagnostic, colour);
    return text;
}

bool has_error(std::span<const Diagnostic> diagnostics) {
    return std::ranges::any_of(diagnostics, [](const auto& one) { return one.level == Level::error; });
}

}  // namespace guard::report
