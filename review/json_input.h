#pragma once
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/error.h"
#include "posture/profile.h"

namespace guard::review {

using Json = nlohmann::json;

/// No seccomp profile and no config.json comes near it.
inline constexpr std::size_t kMostJson = 4U << 20U;

/// A docker or podman seccomp profile, or an OCI config.json, as a profile.
struct FromJson {
    enum class Form : std::uint8_t { seccomp, oci } form = Form::seccomp;
    Profile profile;
    /// What a posture can't say, by its path: compared as it is written. "linux.apparmorProfile" -> "\"x\"".
    std::map<std::string, std::string> unsaid;
    std::set<std::string> gates;           ///< capabilities that entries of the filter ask about
    std::shared_ptr<const Json> document;  ///< of a seccomp profile: for other capabilities
    std::string assumed;  ///< in words, what the filter was worked out for; empty: nothing was asked
};

/// Which capabilities the container is taken to have where a seccomp profile asks.
[[nodiscard]] const std::set<std::string>& docker_capabilities();

/// Reads either form. `capabilities` answer what a seccomp profile's includes and excludes ask; the
/// architecture is x86-64. Fails where it is too large, nested too deep, no JSON, or neither form, with the
/// file in the sentence.
[[nodiscard]] Result<FromJson> profile_of_json(const std::string& path, const std::string& text,
                                               const std::set<std::string>& capabilities);

/// Where `word` first stands in quotation marks; line 0 where it does not.
[[nodiscard]] Where place_of_word(const std::string& path, const std::string& text, const std::string& word);

}  // namespace guard::review
