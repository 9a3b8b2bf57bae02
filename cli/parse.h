#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command.h"

namespace guard::cli {

/// Takes apart what follows the command's name. Fails with the word that is wrong and the nearest right one.
[[nodiscard]] Result<Invocation> parse(const Command& command, std::vector<std::string> words);

}  // namespace guard::cli
