#pragma once
#include <string>
#include <string_view>

namespace guard::report {

/// `text` as words of a Markdown comment: what would be markup, HTML, a mention of somebody, a reference to
/// an issue or a link is shown and does nothing. Fits into a cell of a table.
[[nodiscard]] std::string markdown_words(std::string_view text);

/// `text` in a code span that it can't end. Fits into a cell of a table; empty for empty text.
[[nodiscard]] std::string markdown_code(std::string_view text);

}  // namespace guard::report
