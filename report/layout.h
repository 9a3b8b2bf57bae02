#pragma once
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How text stands on a page: widths are counted in characters (code points of UTF-8).
namespace guard::report {

/// No line that guard prints is longer, but for a word that can't be broken.
inline constexpr std::size_t kPageWidth = 100;

/// Characters of `text`; bytes that are no UTF-8 count one each.
[[nodiscard]] std::size_t width_of(std::string_view text);

/// `text` with everything a terminal would obey made visible ("\x1b"), and bytes that are no UTF-8 as "?".
/// Names of processes and lines of files come from strangers.
[[nodiscard]] std::string printable(std::string_view text);

/// `text` and spaces up to `width`; unchanged where it is as long.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width);

/// `text` in lines of at most `width`, broken at spaces; a longer word stands alone on its line. Never empty.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width);

/// `left` from the left edge and `right` ending at `width`; on two lines where one has no room. Ends with a
/// newline.
[[nodiscard]] std::string two_sided(std::string_view left, std::string_view right,
                                    std::size_t width = kPageWidth);

/// Wrapped `text` whose lines are indented by `indent`, but for the first, which follows `first`.
[[nodiscard]] std::string hanging(std::string_view first, std::size_t indent, std::string_view text,
                                  std::size_t width = kPageWidth);

/// `text` in at most `most` bytes: whole lines, and the last says how many were left out. Empty where there
/// is no room to say it.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t most);

/// `items` with ", " between.
[[nodiscard]] std::string listed(std::span<const std::string> items);
/// "1 finding", "3 findings".
[[nodiscard]] std::string counted(std::size_t count, std::string_view one);

/// One table with columns as wide as their widest cell and two spaces between; no space at line ends.
[[nodiscard]] std::string columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace guard::report
