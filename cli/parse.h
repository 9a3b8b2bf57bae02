#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command.h"

namespace guard::cli {

/// One --output: FORMAT:FILE.
struct Output {
    std::string format, file;
};
/// Takes apart a value that parse() let through.
[[nodiscard]] Output output_of(const std::string& value);

/// Takes apart what follows the command's name. Fails with the word that is wrong and the nearest right one.
[[nodiscard]] Result<Invocation> parse(const Command& command, std::vector<std::string> words);

}  // namespace guard::cli
