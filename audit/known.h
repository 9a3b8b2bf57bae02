#pragma once
#include <string>
#include <utility>

#include "base/error.h"
#include "posture/known.h"

namespace guard::audit {

/// The value, or what could not be read and why.
template <class T>
[[nodiscard]] Known<T> known(Result<T> result) {
    if (result) return *std::move(result);
    auto error = std::move(result).error();
    auto why = error.reason.empty() ? std::move(error.attempt) : error.attempt + ": " + error.reason;
    return Unknown{error.code, std::move(why)};
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
