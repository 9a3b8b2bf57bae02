#pragma once
#include <string>
#include <utility>

#include "base/error.h"
#include "posture/known.h"

namespace guard::audit {

/// What failed, why and what to do about it, in one line.
[[nodiscard]] inline std::string with_fix(const std::string& text, const Error& error) {
    return error.fix.empty() ? text : text + " (" + error.fix + ")";
}

/// The value, or what could not be read, why and what to do about it.
template <class T>
[[nodiscard]] Known<T> known(Result<T> result) {
    if (result) return *std::move(result);
    auto error = std::move(result).error();
    const auto why = error.reason.empty() ? error.attempt : error.attempt + ": " + error.reason;
    return Unknown{error.code, with_fix(why, error)};
}

/// `turn` of the value; what is not known stays so, for the same reason.
template <class Turn, class T>
[[nodiscard]] auto map_known(const Known<T>& from, Turn&& turn)
    -> Known<decltype(turn(std::declval<const T&>()))> {
    if (const auto* value = value_of(from)) return turn(*value);
    if (const auto* absent = std::get_if<Absent>(&from)) return *absent;
    return std::get<Unknown>(from);
}

}  // namespace guard::audit
