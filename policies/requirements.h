#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "posture/checks.h"
#include "posture/diagnostic.h"
#include "posture/profile.h"

namespace guard {

/// What a repository asks of every change, in .guard.toml at its root. Each key has the value of an empty
/// file where it is left out.
struct Requirements {
    std::vector<std::string> paths = {"profiles"};  ///< where profiles are, relative to the root
    Severity fail_on = Severity::medium;            ///< the least severity that counts
    std::set<std::string> require;                  ///< "no-new-access"
    Origins origins;  ///< "paths", "paths/profiles", "fail-on", "require/no-new-access"
};
inline constexpr const char* kRequirementsFile = ".guard.toml";
inline constexpr std::string_view kNoNewAccess = "no-new-access";

struct ReadRequirements {
    std::optional<Requirements> requirements;  ///< none where there is an error among the diagnostics
    std::vector<Diagnostic> diagnostics;
};
/// As strict as profiles: an unknown key, a wrong kind or word is an error with its place.
[[nodiscard]] ReadRequirements read_requirements(const std::string& path, const std::string& bytes);

/// The severity of that name; none where there is none.
[[nodiscard]] std::optional<Severity> severity_named(std::string_view name);

}  // namespace guard
