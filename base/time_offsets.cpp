#include "base/time_offsets.h"

#include "base/split.h"

namespace guard {

std::string time_offsets_in_words(std::string_view text) {
    std::string words;
    for (const auto line : lines_of(text)) {
        const auto parts = words_of(line);
        if (parts.size() != 3 || (parts[1] == "0" && parts[2] == "0")) continue;
        if (!words.empty()) words += ", ";
        words.append(parts[0]).append(" ").append(parts[1]).append(" s");
        if (parts[2] != "0") words.append(" and ").append(parts[2]).append(" ns");
    }
    return words.empty() ? "in step" : words;
}

}  // namespace guard
