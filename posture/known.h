#pragma once
#include <string>
#include <utility>
#include <variant>

namespace guard {

/// Nobody read this, and why. Comes first in Known, so that a forgotten reader says "not read", never "ok".
struct Unknown {
    int code = 0;  ///< errno, or 0
    std::string why = "not read";
};

/// This kernel or this process has no such thing: neither the grant nor the lock.
struct Absent {
    std::string why;
};

template <class T>
using Known = std::variant<Unknown, T, Absent>;

/// The value, or null where it is unknown or absent.
template <class T>
[[nodiscard]] const T* value_of(const Known<T>& known) {
    return std::get_if<T>(&known);
}
template <class T>
[[nodiscard]] T* value_of(Known<T>& known) {
    return std::get_if<T>(&known);
}

/// The value, made empty first where there was none: for readers of a profile, which add one grant after the
/// other.
template <class T>
[[nodiscard]] T& made(Known<T>& known) {
    if (!std::holds_alternative<T>(known)) known = T{};
    return std::get<T>(known);
}

}  // namespace guard
