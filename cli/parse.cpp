#include "cli/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options.hpp>
#include <set>

#include "cli/commands.h"
#include "policies/nearest.h"

namespace guard::cli {
namespace {

namespace po = boost::program_options;

constexpr auto kOperands = "operands";

std::unexpected<Error> wrong_usage(const Command& command, std::string reason, std::string fix = "") {
    if (fix.empty()) fix = fmt::format("guard {} --help", command.name);
    return fail(fmt::format("run guard {}", command.name), std::move(reason), std::move(fix));
}

po::options_description description_of(const Command& command) {
    po::options_description description;
    for (const auto& option : options_of(command)) {
        const std::string name(option.name);
        if (option.value.empty())
            description.add_options()(name.c_str(), "");
        else if (option.repeats)
            description.add_options()(name.c_str(), po::value<std::vector<std::string>>()->composing(), "");
        else
            description.add_options()(name.c_str(), po::value<std::string>(), "");
    }
    description.add_options()(kOperands, po::value<std::vector<std::string>>(), "");
    return description;
}

Result<po::variables_map> parsed(const Command& command, const std::vector<std::string>& words) {
    using namespace po::command_line_style;
    const auto description = description_of(command);
    po::positional_options_description operands;
    operands.add(kOperands, -1);
    po::variables_map values;
    try {
        po::store(po::command_line_parser(words)
                      .options(description)
                      .positional(operands)
                      .style(unix_style & ~allow_guessing)
                      .run(),
                  values);
    } catch (const po::unknown_option& unknown) {
        std::vector<std::string_view> known;
        for (const auto& option : options_of(command)) known.push_back(option.name);
        auto name = unknown.get_option_name();
        name.erase(0, name.find_first_not_of('-'));
        const auto near = nearest(name, known);
        return wrong_usage(command, fmt::format("unknown option {}", unknown.get_option_name()),
                           near ? fmt::format("did you mean --{}?", *near) : "");
    } catch (const po::multiple_occurrences& twice) {
        return wrong_usage(command, fmt::format("{} was given twice", twice.get_option_name()));
    } catch (const po::error& error) {
        return wrong_usage(command, error.what());
    }
    return values;
}

std::vector<std::string> strings_of(const boost::any& value) {
    if (const auto* const one = boost::any_cast<std::string>(&value)) return {*one};
    if (const auto* const all = boost::any_cast<std::vector<std::string>>(&value)) return *all;
    return {""};  // a switch
}

bool is_choice(std::string_view choices, std::string_view value) {
    while (!choices.empty()) {
        const auto choice = choices.substr(0, choices.find('|'));
        if (choice == value) return true;
        choices.remove_prefix(std::min(choice.size() + 1, choices.size()));
    }
    return false;
}

Result<void> check_choices(const Command& command, const Invocation& invocation) {
    for (const auto& option : options_of(command)) {
        if (option.choices.empty()) continue;
        for (const auto& value : invocation.values(option.name))
            if (!is_choice(option.choices, value))
                return wrong_usage(command, fmt::format("--{} can't be {}", option.name, value),
                                   fmt::format("choose one of {}", option.choices));
    }
    return {};
}

// A file that could not be written as asked is found before any work is done.
Result<void> check_outputs(const Command& command, const Invocation& invocation) {
    const auto options = options_of(command);
    const auto format = std::ranges::find(options, std::string_view("format"), &Option::name);
    std::set<std::string> files;
    for (const auto& value : invocation.values("output")) {
        const auto output = output_of(value);
        if (output.file.empty() || !is_choice(format->choices, output.format))
            return wrong_usage(command, fmt::format("--output {} is not FORMAT:FILE", value),
                               fmt::format("FORMAT is one of {}", format->choices));
        if (!files.insert(output.file).second)
            return wrong_usage(command, fmt::format("--output names {} twice", output.file),
                               "give each format a file of its own");
    }
    return {};
}

Result<void> check_operands(const Command& command, const Invocation& invocation) {
    const auto count = invocation.operands.size();
    if (invocation.has("help")) return {};
    if (count < command.least)
        return wrong_usage(command, "something is missing",
                           fmt::format("guard {} {}", command.name, command.synopsis));
    if (count > command.most)
        return wrong_usage(command, fmt::format("{} is one word too many", invocation.operands[command.most]),
                           fmt::format("guard {} {}", command.name, command.synopsis));
    return {};
}

}  // namespace

Output output_of(const std::string& value) {
    const auto colon = value.find(':');
    if (colon == std::string::npos) return {value, ""};
    return {value.substr(0, colon), value.substr(colon + 1)};
}

Result<Invocation> parse(const Command& command, std::vector<std::string> words) {
    Invocation invocation;
    invocation.command = &command;
    if (command.takes_command_line) {
        const auto dashes = std::ranges::find(words, "--");
        if (dashes != words.end()) invocation.command_line.assign(dashes + 1, words.end());
        if (dashes != words.end() && invocation.command_line.empty())
            return wrong_usage(command, "no command after --");
        words.erase(dashes, words.end());
    }
    for (const auto& [name, value] : TRY(parsed(command, words))) {
        auto strings = strings_of(value.value());
        if (name == kOperands)
            invocation.operands = std::move(strings);
        else
            invocation.options[name] = std::move(strings);
    }
    CHECK(check_choices(command, invocation));
    CHECK(check_outputs(command, invocation));
    CHECK(check_operands(command, invocation));
    return invocation;
}

}  // namespace guard::cli
