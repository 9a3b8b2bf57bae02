#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/help.h"

// Completions name no container and no profile in advance: the shell asks guard list, and looks for files.
namespace guard::cli {
namespace {

std::string joined(std::string_view separator, const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
    return text;
}

std::vector<std::string> command_names() {
    std::vector<std::string> names;
    for (const auto& command : commands()) names.emplace_back(command.name);
    return names;
}

std::string choices_with_spaces(const Option& option) {
    std::string text(option.choices);
    std::ranges::replace(text, '|', ' ');
    return text;
}

bool names_container(Operands operands) {
    return operands == Operands::container || operands == Operands::containers;
}

// Quotes for '...' in every shell.
std::string single_quoted(std::string_view text) {
    std::string result = "'";
    for (const char character : text)
        result += character == '\'' ? std::string("'\\''") : std::string(1, character);
    return result + "'";
}

std::string bash_case(const Command& command) {
    std::vector<std::string> words;
    std::string values;
    for (const auto& option : options_of(command)) {
        words.push_back(fmt::format("--{}", option.name));
        if (option.choices.empty()) continue;
        values +=
            fmt::format("                --{}) COMPREPLY=($(compgen -W '{}' -- \"$word\")); return ;;\n",
                        option.name, choices_with_spaces(option));
    }
    std::string more;
    if (names_container(command.operands)) more = " $(_guard_containers)";
    if (command.operands == Operands::command) more = " " + joined(" ", command_names());
    return fmt::format(
        "        {})\n            case $before in\n{}            esac\n"
        "            COMPREPLY=($(compgen -W \"{}{}\" -- \"$word\"))\n            ;;\n",
        command.name, values, joined(" ", words), more);
}

std::string zsh_case(const Command& command) {
    std::string text = fmt::format("        {})\n            _arguments \\\n", command.name);
    for (const auto& option : options_of(command)) {
        std::string words(option.help);
        std::erase_if(
            words, [](char character) { return character == '[' || character == ']' || character == ':'; });
        auto specification = fmt::format("{}--{}[{}]", option.repeats ? "*" : "", option.name, words);
        if (!option.value.empty())
            specification +=
                fmt::format(":{}:{}", option.value,
                            option.choices.empty() ? "_files" : "(" + choices_with_spaces(option) + ")");
        text += fmt::format("                {} \\\n", single_quoted(specification));
    }
    const auto operands = names_container(command.operands)       ? "*:container:_guard_containers"
                          : command.operands == Operands::command ? "1:command:_guard_commands"
                                                                  : "*:file:_files";
    return text + fmt::format("                '{}'\n            ;;\n", operands);
}

std::string fish_lines(const Command& command) {
    auto text = fmt::format("complete -c guard -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                            single_quoted(command.help));
    const auto when = fmt::format("'__fish_seen_subcommand_from {}'", command.name);
    for (const auto& option : options_of(command)) {
        text +=
            fmt::format("complete -c guard -n {} -l {} -d {}", when, option.name, single_quoted(option.help));
        if (!option.value.empty()) text += " -r";
        if (!option.choices.empty()) text += fmt::format(" -f -a '{}'", choices_with_spaces(option));
        text += "\n";
    }
    if (names_container(command.operands))
        text += fmt::format("complete -c guard -n {} -f -a '(__guard_containers)'\n", when);
    if (command.operands == Operands::command)
        text += fmt::format("complete -c guard -n {} -f -a '{}'\n", when, joined(" ", command_names()));
    return text;
}

}  // namespace

std::string bash_completions() {
    std::string cases;
    for (const auto& command : commands()) cases += bash_case(command);
    return fmt::format(
        "# Completions of guard for bash, made by: guard help --as bash\n"
        "_guard_containers() {{ guard list --quiet 2>/dev/null | tail -n +2 | cut -d ' ' -f 1; }}\n"
        "_guard() {{\n    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}\n"
        "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        COMPREPLY=($(compgen -W '{} --help --version' -- "
        "\"$word\"))\n"
        "        return\n    fi\n    case ${{COMP_WORDS[1]}} in\n{}    esac\n}}\n"
        "complete -o default -F _guard guard\n",
        joined(" ", command_names()), cases);
}

std::string zsh_completions() {
    std::string names;
    std::string cases;
    for (const auto& command : commands()) {
        names += fmt::format("        {}\n", single_quoted(fmt::format("{}:{}", command.name, command.help)));
        cases += zsh_case(command);
    }
    return fmt::format(
        "#compdef guard\n# Completions of guard for zsh, made by: guard help --as zsh\n"
        "_guard_containers() {{ compadd -- ${{(f)\"$(guard list --quiet 2>/dev/null | tail -n +2 | cut -d ' "
        "' -f 1)\"}} }}\n"
        "_guard_commands() {{\n    local -a names=(\n{}    )\n    _describe command names\n}}\n"
        "_guard() {{\n    if (( CURRENT == 2 )); then _guard_commands; return; fi\n    local "
        "command=$words[2]\n"
        "    shift words; (( CURRENT-- ))\n    case $command in\n{}    esac\n}}\n_guard \"$@\"\n",
        names, cases);
}

std::string fish_completions() {
    std::string text =
        "# Completions of guard for fish, made by: guard help --as fish\n"
        "function __guard_containers; guard list --quiet 2>/dev/null | tail -n +2 | cut -d ' ' -f 1; end\n";
    for (const auto& command : commands()) text += fish_lines(command);
    return text;
}

}  // namespace guard::cli
