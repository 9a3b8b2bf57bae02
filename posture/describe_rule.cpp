#include "posture/filter/argument_set.h"
#include "posture/filter/describe.h"
#include "posture/filter/rules_diagram.h"
#include "posture/filter_rules.h"

namespace guard {

std::string describe_rule(std::string_view call, const CallRule& rule) {
    Diagrams diagrams;
    const auto condition = condition_of(diagrams, rule.when, argument_bits(Abi::x86_64));
    return arguments_in_words(find_syscall(call), Abi::x86_64, arguments_where(diagrams, condition));
}

}  // namespace guard
