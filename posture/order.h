#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

/// Which side is tighter is part of a field's type, so that no check can get it backwards.
namespace guard {

enum class Shift : std::uint8_t { same, tighter, looser, incomparable, unknown };

/// One right, lock, bound or path that differs.
struct Change {
    std::string field;  ///< the path of the field: "caps.effective"
    std::string item;   ///< the one that differs: "net_admin"; empty where the field is one thing
    Shift shift = Shift::same;
    std::string from, to;  ///< in words, empty for "not there"
    bool operator==(const Change&) const = default;
};

/// More is looser.
template <class T>
struct Grants {
    std::set<T> all;
    bool operator==(const Grants&) const = default;
};

/// Held is tighter.
enum class Lock : bool { open, held };

/// A bound: lower is tighter, none is the loosest.
template <class T>
struct Ceiling {
    std::optional<T> most;
    bool operator==(const Ceiling&) const = default;
};

/// Higher is tighter: filters stacked on a task, the oom score.
template <class T>
struct Floor {
    T least{};
    bool operator==(const Floor&) const = default;
};

/// Any other value is incomparable.
template <class T>
struct Exact {
    T value{};
    bool operator==(const Exact&) const = default;
};

/// The same question for many things, each with a name; one that is missing on one side is compared with T{}.
template <class T>
using Named = std::map<std::string, T>;

}  // namespace guard
