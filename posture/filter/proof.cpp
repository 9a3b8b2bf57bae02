#include "posture/filter/proof.h"

#include <fmt/format.h>

#include "posture/filter/describe.h"
#include "posture/filter/program_diagram.h"
#include "posture/filter/rules_diagram.h"

namespace guard {

Result<void> prove_filter(const FilterRules& rules, std::span<const sock_filter> program) {
    Diagrams diagrams;
    return prove_filter(diagrams, TRY(diagram_of(diagrams, rules)), program);
}

Result<void> prove_filter(Diagrams& diagrams, Diagrams::Node declared, std::span<const sock_filter> program) {
    const auto made = TRY(diagram_of(diagrams, program));
    const auto input = diagrams.differing_input(declared, made);
    if (!input) return {};
    return fail("prove a system call filter",
                fmt::format("{} is answered {}, declared is {}", call_in_words(*input),
                            answer_in_words(diagrams.answer(made, *input)),
                            answer_in_words(diagrams.answer(declared, *input))),
                "this is a fault in guard; please report it together with the profile");
}

}  // namespace guard
