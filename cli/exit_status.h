#pragma once
#include <array>
#include <string_view>

/// What guard's exit statuses mean: the one place that turns an outcome into a number.
namespace guard::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;      ///< found something, not found, or failed
inline constexpr int kUsage = 2;       ///< wrong usage, or input that can't be used
inline constexpr int kIncomplete = 3;  ///< audit, check, review: something could not be read
inline constexpr int kNotLaunched =
    125;  ///< launch: guard could not make the container; wrong usage included
inline constexpr int kNotExecutable = 126;
inline constexpr int kNotFound = 127;

struct StatusRow {
    std::string_view commands, status, meaning;
};
/// For the man page.
inline constexpr auto kStatuses = std::to_array<StatusRow>({
    {"launch", "N", "the command's own status"},
    {"launch", "128+N", "signal N ended the command"},
    {"launch", "125", "guard could not make the container: a broken profile and wrong usage included"},
    {"launch", "126", "the command is not executable"},
    {"launch", "127", "the command was not found"},
    {"audit, check, review", "0", "nothing at or over --fail-on"},
    {"audit, check, review", "1", "findings at or over --fail-on"},
    {"audit, check, review", "2", "wrong usage, or input that could not be used"},
    {"audit, check, review", "3", "something could not be read; --allow-unknown accepts that"},
    {"others", "0", "done"},
    {"others", "1", "not found, or failed"},
    {"others", "2", "wrong usage, or a broken profile"},
});

}  // namespace guard::cli
