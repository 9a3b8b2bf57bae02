#pragma once
#include <string>

#include "cli/command.h"

/// Everything that tells people about the commands, made from the one table.
namespace guard::cli {

/// All commands, one line each.
[[nodiscard]] std::string help_text();
/// One command with its options.
[[nodiscard]] std::string help_text(const Command& command);
/// guard(1) in man(7) macros.
[[nodiscard]] std::string man_page();
/// docs/commands.md.
[[nodiscard]] std::string command_reference();
/// docs/checks.md: every id that a finding can have.
[[nodiscard]] std::string check_reference();

[[nodiscard]] std::string bash_completions();
[[nodiscard]] std::string zsh_completions();
[[nodiscard]] std::string fish_completions();

}  // namespace guard::cli
