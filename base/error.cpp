#include "base/error.h"

#include <cstring>

namespace guard {

std::string describe(const Error& error) {
    std::string text = error.attempt;
    const auto add = [&text](std::string_view part) {
        if (part.empty()) return;
        if (!text.empty()) text += ": ";
        text += part;
    };
    add(error.reason);
    if (error.code != 0) add(std::strerror(error.code));
    return text;
}

}  // namespace guard
