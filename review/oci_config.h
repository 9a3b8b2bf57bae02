#pragma once
#include "review/json_input.h"

namespace guard::review {

/// An OCI runtime config.json: filter, capabilities, user, namespaces, id maps, mounts, masked paths,
/// devices, rlimits and limits. What it leaves out is what the runtime then does: no filter, this machine's
/// namespace, no limit. May throw Json::exception.
/// https://github.com/opencontainers/runtime-spec/blob/main/config.md
[[nodiscard]] Result<FromJson> profile_of_oci(const std::string& path, const std::string& text,
                                              const Json& json);

}  // namespace guard::review
