#pragma once
#include <functional>

#include "base/error.h"
#include "launcher/plan.h"

namespace guard::launcher {

/// The file that the command names in a folder of the host, as `start` of the data directory: fails with
/// ENOENT and what to do where `missing` says that it is not there.
[[nodiscard]] Result<void> check_start_file(const LaunchPlan& plan,
                                            const std::function<bool(const std::string& path)>& missing);

}  // namespace guard::launcher
