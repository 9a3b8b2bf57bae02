#pragma once
#include "cli/command.h"

namespace guard::cli {

/// guard audit --watch. Status 0 when it was asked to end (SIGINT, SIGTERM), 2 where it could not go on.
[[nodiscard]] int run_watch(const Invocation& invocation);

}  // namespace guard::cli
