#pragma once
#include "review/json_input.h"

namespace guard::review {

/// A seccomp profile of docker, podman or containerd, for x86-64 and these capabilities. Its posture holds
/// the filter and nothing else. May throw Json::exception. Fails where it uses what does not exist.
[[nodiscard]] Result<FromJson> profile_of_seccomp(const std::string& path, const std::string& text,
                                                  const Json& json,
                                                  const std::set<std::string>& capabilities);

/// What the filter of a seccomp profile allows to a container with these capabilities.
[[nodiscard]] std::optional<FilterRules> rules_with(const FromJson& profile,
                                                    const std::set<std::string>& capabilities);

}  // namespace guard::review
