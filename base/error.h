#pragma once
#include <expected>
#include <string>
#include <utility>

namespace guard {

/// What was attempted, why it failed and what to do about it, in the order a reader asks.
struct Error {
    std::string attempt;  ///< "open /proc/41/status", "write uid_map of container minecraft"
    std::string reason;   ///< "want a number from 1 to 4294967294"; empty where errno says it all
    int code = 0;         ///< errno, or 0 for a fault of input
    std::string fix;      ///< what the user can do, a command where there is one; may be empty
};

template <class T>
using Result = std::expected<T, Error>;

/// "attempt: reason: strerror(code)", without the parts that are empty.
[[nodiscard]] std::string describe(const Error& error);

/// An error of input: no errno.
[[nodiscard]] inline std::unexpected<Error> fail(std::string attempt, std::string reason,
                                                 std::string fix = "") {
    return std::unexpected(Error{std::move(attempt), std::move(reason), 0, std::move(fix)});
}

/// An error of the kernel. `code` is the errno, taken by the caller before anything else can change it.
[[nodiscard]] inline std::unexpected<Error> fail_errno(std::string attempt, int code, std::string fix = "") {
    return std::unexpected(Error{std::move(attempt), "", code, std::move(fix)});
}

}  // namespace guard

/// The value of `expression`, or a return of its error. A GNU statement expression, for g++ 12 has no
/// and_then.
#define TRY(expression)                                             \
    __extension__({                                                 \
        auto try_ = (expression);                                   \
        if (!try_) return std::unexpected(std::move(try_).error()); \
        *std::move(try_);                                           \
    })

/// The same for Result<void>.
#define CHECK(expression)                                                                           \
    do {                                                                                            \
        if (auto check_ = (expression); !check_) return std::unexpected(std::move(check_).error()); \
    } while (false)
