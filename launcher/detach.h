#pragma once
#include <expected>
#include <functional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "launcher/launch.h"

namespace guard::launcher {

/// Runs `work` in a process of its own that has left the caller's session, terminal and descriptors, and
/// waits until it calls `started` or fails. Returns 0 once started; the other process never returns.
[[nodiscard]] std::expected<int, LaunchError> in_background(
    const std::function<std::expected<int, LaunchError>(const std::function<void()>& started)>& work);

}  // namespace guard::launcher
