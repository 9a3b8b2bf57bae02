#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "launcher/plan.h"

namespace guard::launcher {

/// Looks at everything that a plan for `profile` depends on. Makes nothing but the id range of `name`.
[[nodiscard]] Result<HostFacts> look_at_host(const Profile& profile, const std::string& name,
                                             const std::vector<std::string>& command);

}  // namespace guard::launcher
