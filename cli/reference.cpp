#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/help.h"
#include "posture/risks.h"

// docs/commands.md and docs/checks.md, in Markdown; a test fails where a file differs from what this makes.
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

std::string ranks_of(const Check& check) {
    if (check.tighter == check.looser || check.tighter == Severity::none)
        return std::string(severity_name(check.looser));
    return fmt::format("{}; tighter: {}", severity_name(check.looser), severity_name(check.tighter));
}

std::string check_rows(std::span<const Check> checks) {
    std::string text =
        "\n| id | severity | finding | why it matters | what to do | source |\n|---|---|---|---|---|---|\n";
    for (const auto& check : checks)
        text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", check.id, ranks_of(check),
                            cell(check.title), cell(check.why), cell(check.fix), cell(check.source));
    return text;
}

template <class Row>
std::string risk_rows(std::span<const Row> rows) {
    std::string text =
        "\n| id | severity | the profile | why it matters | needed by | what to do | source "
        "|\n|---|---|---|---|---|---|---|\n";
    for (const auto& row : rows)
        text += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} |\n", row.check.id,
                            severity_name(row.check.looser), cell(row.check.title), cell(row.check.why),
                            cell(row.needed_by), cell(row.check.fix), cell(row.check.source));
    return text;
}

}  // namespace

std::string check_reference() {
    return "# Checks\nMade from guard's tables by `guard help --as checks`; do not edit.\n\n"
           "The id of a finding is what a waiver names as `finding`, its item what it names as `what`.\n"
           "\n## What audit and review compare, and what they raise by name\n" +
           check_rows(checks()) + "\n## What `guard check` finds in the lines of a profile\n" +
           check_rows(lint_checks()) +
           "\n## Risks\nWhat is dangerous to grant: `guard check` tells it of a profile, `guard review` "
           "ranks by it what "
           "a change newly allows.\n" +
           risk_rows(risks()) + "\n## Pairs that are worse together\n" + risk_rows(risk_pairs());
}

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
