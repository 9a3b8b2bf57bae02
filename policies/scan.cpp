#include "policies/scan.h"

#include <fmt/format.h>

#include <algorithm>

namespace guard::policies {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

// How many bytes the character at `at` has; 0 where it is not UTF-8: cut short, longer than it needs to be, a
// surrogate or above U+10FFFF. RFC 3629
std::size_t character_bytes(std::string_view text, std::size_t at) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if (!continues(text[at + i])) return 0;
    const auto second = static_cast<unsigned char>(text[at + 1]);
    const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
    const bool outside = (first == 0xED && second > 0x9F) || (first == 0xF4 && second > 0x8F);
    return overlong || outside ? 0 : length;
}

std::optional<TextFault> scan_bytes(std::string_view line, unsigned number) {
    unsigned column = 1;
    for (std::size_t at = 0; at < line.size(); ++column) {
        if (line[at] == '\0') return TextFault{number, column, "not a text file: it holds a NUL byte", "NUL"};
        const auto length = character_bytes(line, at);
        if (length == 0)
            return TextFault{number, column,
                             fmt::format("not a text file: byte {:#04x} is no UTF-8",
                                         static_cast<unsigned>(static_cast<unsigned char>(line[at]))),
                             ""};
        at += length;
    }
    return std::nullopt;
}

// Follows TOML's strings and comments just well enough to know which brackets nest.
class NestingScan {
public:
    explicit NestingScan(unsigned most) : most_(most) {}

    std::optional<TextFault> line(const std::string& text, unsigned number) {
        if (quotes_.size() != 3) quotes_.clear();  // only a triple-quoted string goes on
        dots_ = 0;
        for (std::size_t at = 0; at < text.size();) {
            if (!quotes_.empty())
                at = in_string(text, at);
            else if (text[at] == '#')
                break;
            else if (text[at] == '"' || text[at] == '\'')
                at = open_string(text, at);
            else if (!count(text[at++]))
                return TextFault{number, static_cast<unsigned>(characters(text.substr(0, at))),
                                 fmt::format("nested deeper than {}", most_), ""};
        }
        return std::nullopt;
    }

private:
    std::size_t open_string(const std::string& text, std::size_t at) {
        const std::string triple(3, text[at]);
        quotes_ = text.compare(at, 3, triple) == 0 ? triple : triple.substr(0, 1);
        return at + quotes_.size();
    }
    std::size_t in_string(const std::string& text, std::size_t at) {
        if (text[at] == '\\' && quotes_.front() == '"') return at + 2;
        if (text.compare(at, quotes_.size(), quotes_) != 0) return at + 1;
        const auto past = at + quotes_.size();
        quotes_.clear();
        return past;
    }
    // A dotted name makes a table in a table for each dot.
    bool count(char c) {
        if (c == '.') return ++dots_ <= most_;
        if (c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') dots_ = 0;
        if (c == '[' || c == '{') return ++depth_ <= most_;
        if ((c == ']' || c == '}') && depth_ > 0) --depth_;
        return true;
    }

    unsigned most_, depth_ = 0, dots_ = 0;
    std::string quotes_;
};

bool bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::size_t string_end(std::string_view text) {
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '\\' && text.front() == '"')
            ++at;
        else if (text[at] == text.front())
            return at + 1;
    }
    return text.size();
}

std::size_t bracket_end(std::string_view text) {
    int depth = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '"' || c == '\'') at += string_end(text.substr(at)) - 1;
        if (c == '[' || c == '{') ++depth;
        if ((c == ']' || c == '}') && --depth == 0) return at + 1;
    }
    return 1;
}

std::size_t token_bytes(std::string_view text, TokenKind kind) {
    if (text.empty()) return 1;
    if (text.front() == '"' || text.front() == '\'') return string_end(text);
    if (kind == TokenKind::key)
        return static_cast<std::size_t>(std::ranges::find_if_not(text, bare) - text.begin());
    if (text.front() == '[' || text.front() == '{') return bracket_end(text);
    return std::min(text.find_first_of(" \t,]}=#"), text.size());
}

}  // namespace

std::optional<TextFault> scan_text(const std::vector<std::string>& lines, unsigned most_nesting) {
    for (unsigned number = 1; number <= lines.size(); ++number)
        if (auto fault = scan_bytes(lines[number - 1], number)) return fault;
    NestingScan nesting(most_nesting);
    for (unsigned number = 1; number <= lines.size(); ++number)
        if (auto fault = nesting.line(lines[number - 1], number)) return fault;
    return std::nullopt;
}

int net_brackets(std::string_view line) {
    int net = 0;
    for (std::size_t at = 0; at < line.size() && line[at] != '#'; ++at) {
        const char c = line[at];
        if (c == '"' || c == '\'') at += string_end(line.substr(at)) - 1;
        net += (c == '[' || c == '{') ? 1 : (c == ']' || c == '}') ? -1 : 0;
    }
    return net;
}

std::size_t characters(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

unsigned token_length(const std::string& line, unsigned column, TokenKind kind) {
    std::size_t at = 0;
    for (unsigned i = 1; i < column && at < line.size(); ++i)
        at += std::max<std::size_t>(character_bytes(line, at), 1);
    const auto rest = std::string_view(line).substr(std::min(at, line.size()));
    const auto length = characters(rest.substr(0, token_bytes(rest, kind)));
    return static_cast<unsigned>(std::max<std::size_t>(length, 1));
}

}  // namespace guard::policies
