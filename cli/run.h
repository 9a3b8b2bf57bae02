#pragma once
#include <string>
#include <vector>

namespace guard::cli {

/// Runs the command that `words` (without the program's own name) ask for; returns guard's exit status.
[[nodiscard]] int run(const std::vector<std::string>& words);

}  // namespace guard::cli
