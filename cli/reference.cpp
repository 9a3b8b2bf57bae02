#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/help.h"

// docs/commands.md, in Markdown; a test fails where the file differs from what this makes.
namespace guard::cli {
namespace {

// A bar would end the cell.
std::string cell(std::string_view text) {
    std::string result;
    for (const char character : text)
        result += character == '|' ? std::string("\\|") : std::string(1, character);
    return result;
}

std::string option_rows(std::span<const Option> options) {
    if (options.empty()) return {};
    std::string text = "\n| option | what it does |\n|---|---|\n";
    for (const auto& option : options) {
        const auto choices = option.choices.empty() ? std::string() : fmt::format(" (`{}`)", option.choices);
        text += fmt::format("| `--{}{}{}` | {}{}{} |\n", option.name, option.value.empty() ? "" : " ",
                            option.value, cell(option.help), cell(choices),
                            option.repeats ? "; may be given often" : "");
    }
    return text;
}

std::string section_of(const Command& command) {
    return fmt::format("\n## guard {0}\n`guard {0}{1}{2}`\n\n{3}\n{4}", command.name,
                       command.synopsis.empty() ? "" : " ", command.synopsis, command.text,
                       option_rows(command.options));
}

}  // namespace

std::string command_reference() {
    std::string text =
        "# Commands\nMade from guard's command table by `guard help --as markdown`; do not edit.\n";
    for (const auto& command : commands()) text += section_of(command);
    text += "\n## Every command\n" + option_rows(common_options());
    text += "\n## Exit status\n\n| command | status | meaning |\n|---|---|---|\n";
    for (const auto& row : kStatuses)
        text += fmt::format("| {} | {} | {} |\n", row.commands, row.status, row.meaning);
    return text;
}

}  // namespace guard::cli
