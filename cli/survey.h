#pragma once
#include "cli/command.h"

namespace guard::cli {

/// guard audit --all. Status 0; 3 where something could not be read, unless --allow-unknown accepts it.
[[nodiscard]] int run_survey(const Invocation& invocation);

}  // namespace guard::cli
