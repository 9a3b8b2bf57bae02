#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "posture/finding.h"

namespace guard::audit {

/// What a watcher has told and not yet taken back, each finding once for each of its tasks: two tasks of one
/// name are told apart by pid and start time.
class ToldFindings {
public:
    /// True where these are not what was told: then they are worth a second look.
    [[nodiscard]] bool differ(const std::vector<Finding>& now) const;

    struct Ended {
        Finding finding;
        std::int64_t since = 0;  ///< when it began; seconds since 1970
    };
    struct Turns {
        std::vector<Finding> begun;  ///< merged as `guard audit` shows them
        std::vector<Ended> ended;
    };
    /// What was there both times begins, what was there neither time ends; what came or went between the two
    /// looks is left for the next. Waived findings are not told.
    [[nodiscard]] Turns settle(const std::vector<Finding>& first, const std::vector<Finding>& second,
                               std::int64_t now);

    /// JSON and back, for the next watcher: what this one has told is not told again.
    [[nodiscard]] std::string to_json() const;
    [[nodiscard]] static Result<ToldFindings> from_json(const std::string& text);

private:
    std::map<std::string, Ended> told_;  ///< by meaning and task
};

}  // namespace guard::audit
