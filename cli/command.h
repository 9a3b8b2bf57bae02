#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace guard::cli {

/// One option of a command.
struct Option {
    std::string_view name;
    std::string_view value;    ///< what its value is called: "FILE"; empty: a switch
    std::string_view choices;  ///< "auto|always|never"; empty: anything
    std::string_view help;
    bool repeats = false;
};

/// What the words after the options are, for completion.
enum class Operands : std::uint8_t { none, profile, profiles, container, containers, command };

struct Command;

/// A command line, taken apart.
struct Invocation {
    const Command* command = nullptr;
    std::map<std::string, std::vector<std::string>, std::less<>> options;
    std::vector<std::string> operands;
    std::vector<std::string> command_line;  ///< after "--", where the command takes one

    [[nodiscard]] bool has(std::string_view option) const { return options.contains(option); }
    [[nodiscard]] std::string value(std::string_view option, std::string_view otherwise = "") const {
        const auto row = options.find(option);
        return row == options.end() ? std::string(otherwise) : row->second.front();
    }
    [[nodiscard]] std::vector<std::string> values(std::string_view option) const {
        const auto row = options.find(option);
        return row == options.end() ? std::vector<std::string>() : row->second;
    }
};

/// One verb: parser, help, man page and completions are all made from these rows.
struct Command {
    std::string_view name;
    std::string_view synopsis;  ///< what follows the name: "--profile P [--detach] ..."
    std::string_view help;      ///< one line
    std::string_view text;      ///< a paragraph for its own help and the man page
    std::span<const Option> options;
    Operands operands;
    unsigned least, most;  ///< operands
    bool takes_command_line;
    int usage_status;
    int (*run)(const Invocation&);
};

}  // namespace guard::cli
