#include "report/markdown.h"

#include <algorithm>

#include "report/layout.h"

namespace guard::report {

std::string markdown_words(std::string_view text) {
    std::string result;
    const auto shown = printable(text);
    for (std::size_t at = 0; at < shown.size(); ++at) {
        const char character = shown[at];
        switch (character) {
            case '&': result += "&amp;"; continue;
            case '<': result += "&lt;"; continue;
            case '>': result += "&gt;"; continue;
            case '-':
                if (shown.substr(at, 3) != "-> ") break;
                result += "\u2192";
                ++at;
                continue;
            case '@': result += "&#64;"; continue;
            case '#': result += "&#35;"; continue;
            case ':': result += shown.substr(at, 3) == "://" ? "&#58;" : ":"; continue;  // no link without it
            case '.':
                result += at > 2 && (shown[at - 1] == 'w' || shown[at - 1] == 'W') ? "&#46;" : ".";
                continue;
            default: break;
        }
        if (std::string_view("|\\`*_[]~").find(character) != std::string_view::npos) result += '\\';
        result += character;
    }
    return result;
}

std::string markdown_code(std::string_view text) {
    if (text.empty()) return {};
    std::string shown;
    std::size_t longest = 0;
    std::size_t run = 0;
    for (const char character : printable(text)) {
        run = character == '`' ? run + 1 : 0;
        longest = std::max(longest, run);
        // A table takes its cells apart before it looks for code.
        if (character == '|') shown += '\\';
        shown += character;
    }
    const std::string fence(longest + 1, '`');
    const auto pad = shown.front() == '`' || shown.back() == '`' ? " " : "";
    return fence + pad + shown + pad + fence;
}

}  // namespace guard::report
