#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/help.h"
#include "cli/version.h"

namespace guard::cli {
namespace {

// In man(7) a backslash, a dash that shall stay one, and a dot or quote at the start of a line are special.
std::string escaped(std::string_view text) {
    std::string result;
    for (const char character : text) {
        if (character == '\\')
            result += "\\e";
        else if (character == '-')
            result += "\\-";
        else if (character == '|')
            result += "|\\:";  // a long list of choices may be broken there
        else
            result += character;
    }
    return result.starts_with('.') || result.starts_with('\'') ? "\\&" + result : result;
}

std::string option_entry(const Option& option) {
    auto text = fmt::format(".TP\n.B \\-\\-{}", escaped(option.name));
    if (!option.value.empty()) text += fmt::format(" \\fI{}\\fR", escaped(option.value));
    text += "\n" + escaped(option.help);
    if (!option.choices.empty()) text += fmt::format(" ({})", escaped(option.choices));
    return text + "\n";
}

std::string command_entry(const Command& command) {
    auto text =
        fmt::format(".SS guard {} {}\n{}\n", command.name, escaped(command.synopsis), escaped(command.text));
    for (const auto& option : command.options) text += option_entry(option);
    return text;
}

std::string status_section() {
    std::string text = ".SH EXIT STATUS\n";
    for (const auto& row : kStatuses)
        text += fmt::format(".TP\n.B {}: {}\n{}\n", escaped(row.commands), escaped(row.status),
                            escaped(row.meaning));
    return text;
}

struct Entry {
    std::string_view name, text;
};
constexpr auto kFiles = std::to_array<Entry>({
    {"/etc/guard/profiles", "profiles of this machine"},
    {"~/.config/guard/profiles", "profiles of a user"},
    {"/run/guard/NAME", "the launch record of a running container"},
    {"/var/lib/guard/NAME", "a container's data, where its profile says {data}"},
    {"/var/lib/guard/.state", "what outlives a container: id ranges, addresses"},
    {"/var/log/guard/NAME.log", "what a container wrote"},
});
constexpr auto kEnvironment = std::to_array<Entry>({
    {"GUARD_PROFILE_PATH", "folders of profiles, separated by colons, looked into first"},
    {"NO_COLOR", "where it is set and not empty, no colours unless --color always"},
});

std::string entries(std::string_view title, std::span<const Entry> rows) {
    auto text = fmt::format(".SH {}\n", title);
    for (const auto& row : rows)
        text += fmt::format(".TP\n.I {}\n{}\n", escaped(row.name), escaped(row.text));
    return text;
}

}  // namespace

std::string man_page() {
    auto text = fmt::format(
        ".TH GUARD 1 \"\" \"guard {}\" \"User Commands\"\n.SH NAME\nguard \\- run servers in containers that "
        "may do "
        "what their profile says and nothing else\n.SH SYNOPSIS\n.B guard\n.I COMMAND\n[\\fIOPTION\\fR]...\n"
        ".SH DESCRIPTION\nguard launches a command in a container, compares what runs with what was "
        "launched, and "
        "explains profiles. The same value, a posture, serves all of it: what a task may do, as the kernel "
        "would "
        "decide it now.\n.SH COMMANDS\n",
        kVersion);
    for (const auto& command : commands()) text += command_entry(command);
    text += ".SH COMMON OPTIONS\n";
    for (const auto& option : common_options()) text += option_entry(option);
    return text + status_section() + entries("FILES", kFiles) + entries("ENVIRONMENT", kEnvironment);
}

}  // namespace guard::cli
