#include "cli/help.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/version.h"
#include "policies/reference.h"
#include "report/layout.h"

namespace guard::cli {
namespace {

std::string option_words(const Option& option) {
    return fmt::format("--{}{}{}", option.name, option.value.empty() ? "" : " ", option.value);
}

std::string option_help(const Option& option) {
    if (option.choices.empty()) return std::string(option.help);
    return fmt::format("{} ({})", option.help, option.choices);
}

std::string option_list(std::span<const Option> options) {
    constexpr std::size_t kIndent = 24;
    std::string text;
    for (const auto& option : options)
        text += report::hanging("  " + option_words(option), kIndent, option_help(option));
    return text;
}

std::string command_line_of(const Command& command) {
    return fmt::format("guard {}{}{}", command.name, command.synopsis.empty() ? "" : " ", command.synopsis);
}

struct HelpForm {
    std::string_view name;
    std::string (*write)();
};
constexpr auto kForms = std::to_array<HelpForm>({
    {"man", man_page},
    {"markdown", command_reference},
    {"profile", reference_page},
    {"checks", check_reference},
    {"bash", bash_completions},
    {"zsh", zsh_completions},
    {"fish", fish_completions},
});

}  // namespace

std::string help_text() {
    constexpr std::size_t kIndent = 11;
    std::string text =
        "guard runs servers in containers that may do what their profile says and nothing else.\n\n";
    for (const auto& command : commands())
        text += report::hanging("  " + std::string(command.name), kIndent, command.help);
    return text + "\nEvery command:\n" + option_list(common_options()) +
           "\nguard COMMAND --help says more; profiles are written as docs/profiles.md says.\n";
}

std::string help_text(const Command& command) {
    auto text =
        report::hanging("", 0, command_line_of(command)) + "\n" + report::hanging("", 0, command.text);
    if (!command.options.empty()) text += "\n" + option_list(command.options);
    return text + "\nEvery command:\n" + option_list(common_options());
}

int run_help(const Invocation& invocation) {
    const auto as = invocation.value("as", "text");
    for (const auto& form : kForms)
        if (form.name == as) return answer(form.write(), kDone);
    if (invocation.operands.empty()) return answer(help_text(), kDone);
    const auto* const command = find_command(invocation.operands.front());
    if (command != nullptr) return answer(help_text(*command), kDone);
    complain({fmt::format("show help for {}", invocation.operands.front()), "there is no such command", 0,
              "guard help"});
    return kUsage;
}

int run_version(const Invocation&) { return answer(fmt::format("guard {}\n", kVersion), kDone); }

}  // namespace guard::cli
