#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What is found out about a file's text without parsing it.
namespace guard::policies {

struct TextFault {
    unsigned line, column;
    std::string message, note;
};

/// The first NUL, invalid UTF-8 or bracket (or dotted name) nested deeper than `most_nesting`; brackets in
/// strings and comments don't count. A parser that recurses would end the process on a megabyte of "[".
[[nodiscard]] std::optional<TextFault> scan_text(const std::vector<std::string>& lines,
                                                 unsigned most_nesting);

/// Brackets that a line opens less those it closes, outside its strings and comments.
[[nodiscard]] int net_brackets(std::string_view line);

/// How many characters (not bytes) `text` has; it is valid UTF-8.
[[nodiscard]] std::size_t characters(std::string_view text);

/// How many characters the word has that begins at `column`: a key ends at a dot, a value at a comma; a
/// string, list or table goes to its closing mark where that is on the same line.
enum class TokenKind : std::uint8_t { key, value };
[[nodiscard]] unsigned token_length(const std::string& line, unsigned column, TokenKind kind);

}  // namespace guard::policies
