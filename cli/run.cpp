#include "cli/run.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/parse.h"
#include "policies/nearest.h"

namespace guard::cli {
namespace {

int no_such_command(const std::string& word) {
    std::vector<std::string_view> names;
    for (const auto& command : commands()) names.push_back(command.name);
    const auto near = nearest(word, names);
    complain({fmt::format("run {}", word), word.starts_with('-') ? "unknown option" : "unknown command", 0,
              near ? fmt::format("did you mean guard {}?", *near) : "guard help"});
    return kUsage;
}

}  // namespace

int run(const std::vector<std::string>& words) {
    if (words.empty()) {
        complain({"do anything", "no command was given", 0, "guard help"});
        return kUsage;
    }
    const auto& first = words.front();
    if (first == "--help" || first == "-h") return answer(help_text(), kDone);
    if (first == "--version") return run_version({});
    const auto* const command = find_command(first);
    if (command == nullptr) return no_such_command(first);
    const auto invocation = parse(*command, {words.begin() + 1, words.end()});
    if (!invocation) {
        complain(invocation.error());
        return command->usage_status;
    }
    if (invocation->has("help")) return answer(help_text(*command), kDone);
    return command->run(*invocation);
}

}  // namespace guard::cli
