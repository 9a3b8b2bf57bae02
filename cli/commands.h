#pragma once
#include <span>
#include <string_view>

#include "cli/command.h"

namespace guard::cli {

/// Every command, in the order that help shows them.
[[nodiscard]] std::span<const Command> commands();
/// The row of a name, or null.
[[nodiscard]] const Command* find_command(std::string_view name);
/// Options that every command has.
[[nodiscard]] std::span<const Option> common_options();
/// All options of one command: its own, then the common ones.
[[nodiscard]] std::vector<Option> options_of(const Command& command);

// What the rows run; each returns an exit status.
int run_launch(const Invocation& invocation);
int run_list(const Invocation& invocation);
int run_status(const Invocation& invocation);
int run_stop(const Invocation& invocation);
int run_logs(const Invocation& invocation);
int run_audit(const Invocation& invocation);
int run_check(const Invocation& invocation);
int run_review(const Invocation& invocation);
int run_explain(const Invocation& invocation);
int run_schema(const Invocation& invocation);
int run_doctor(const Invocation& invocation);
int run_version(const Invocation& invocation);
int run_help(const Invocation& invocation);

}  // namespace guard::cli
