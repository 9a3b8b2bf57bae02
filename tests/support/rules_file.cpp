#include "tests/support/rules_file.h"

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

namespace guard::support {

FilterRules rules_file(const std::string& name) {
    std::ifstream file(GUARD_SOURCE_DIR "/tests/fixtures/filters/" + name);
    FilterRules rules;
    for (std::string line; std::getline(file, line);) {
        if (line.empty() || line.starts_with('#')) continue;
        const bool takes = line.starts_with('!');
        std::istringstream words(takes ? line.substr(1) : line);
        std::string call;
        words >> call;
        if (call == "absent") {
            words >> call;
            rules.absent.insert(call);
            continue;
        }
        Cube cube;
        std::size_t argument = 0;
        std::string mask;
        std::string value;
        if (words >> argument >> mask >> value) {
            cube.mask.at(argument) = std::stoull(mask, nullptr, 0);
            cube.value.at(argument) = std::stoull(value, nullptr, 0);
        }
        auto& when = rules.calls[call].when;
        if (takes)
            when = without(when, {cube});
        else
            when.push_back(cube);
    }
    if (rules.calls.empty()) {
        std::cerr << "no rules in " << name << '\n';
        std::abort();
    }
    return rules;
}

}  // namespace guard::support
