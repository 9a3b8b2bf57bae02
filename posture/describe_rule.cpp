#include "posture/filter/argument_set.h"
#include "posture/filter/describe.h"
#include "posture/filter/rules_diagram.h"
#include "posture/filter_rules.h"

namespace guard {

std::string describe_rule(std::string_view call, const CallRule& rule, const CallRule& except) {
    // Most are one of these: no diagram is needed to see it.
    if (rule.when.empty()) return "never";
    if (rule.always() && except.when.empty()) return "always";
    Diagrams diagrams;
    const auto bits = argument_bits(Abi::x86_64);
    const auto all = condition_of(diagrams, rule.when, bits);
    const auto rest = diagrams.choose(condition_of(diagrams, except.when, bits), Diagrams::kFalse, all);
    return arguments_in_words(find_syscall(call), Abi::x86_64, arguments_where(diagrams, rest));
}

}  // namespace guard
