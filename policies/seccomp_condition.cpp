#include "policies/seccomp_condition.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <string_view>

#include "policies/nearest.h"
#include "posture/constants.h"
#include "posture/syscalls.h"

namespace guard::policies {
namespace {

constexpr std::size_t kMostCubes = 4096;  // of one rule: more is a mistake, and would be slow everywhere

// The argument under a condition.
struct Argument {
    const SyscallRow* call;
    unsigned index;
    std::string_view name;
    std::uint64_t whole;  // the bits that the kernel looks at
    ConstantSet set;
};

std::unexpected<Error> unknown_word(std::string sentence, std::string_view word,
                                    const std::vector<std::string_view>& known, std::string otherwise = "") {
    return fail(std::move(sentence), "", did_you_mean(word, known, std::move(otherwise)));
}

Result<Argument> find_argument(const SyscallRow& call, const std::string& name) {
    const auto index = argument_index(call, name);
    if (!index) {
        std::vector<std::string_view> known;
        for (const auto& argument : call.arguments)
            if (!argument.name.empty()) known.push_back(argument.name);
        return unknown_word(fmt::format("`{}` is no argument of {}", name, call.name), name, known,
                            known.empty() ? "write its place, \"0\" to \"5\""
                                          : fmt::format("it has {}", fmt::join(known, ", ")));
    }
    const auto known = call.arguments[*index].name;
    return Argument{&call, *index, known.empty() ? std::string_view(name) : known,
                    argument_mask(call, *index), constants_of(call.name, known)};
}

// A number as C writes it. Negative ones are meant as the argument's type holds them: -1 is all bits.
std::optional<std::uint64_t> number_of(std::string_view text) {
    const bool negative = text.starts_with('-');
    if (negative) text.remove_prefix(1);
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) base = 16;
    if (text.starts_with("0o")) base = 8;
    if (base != 10) text.remove_prefix(2);
    std::uint64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (text.empty() || code != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return negative ? 0 - number : number;
}

Result<std::uint64_t> word_value(const Argument& argument, std::string_view word) {
    if (const auto number = number_of(word)) return *number;
    if (const auto* constant = find_constant(argument.set, word)) return constant->value;
    std::vector<std::string_view> known;
    for (const auto& row : constants())
        if (row.set == argument.set) known.push_back(row.name);
    return unknown_word(
        fmt::format("`{}` is no value of argument {} of {}", word, argument.name, argument.call->name), word,
        argument.set == ConstantSet::none ? std::vector<std::string_view>{} : known);
}

// "A|B|0x4" as one number that fits the argument.
Result<std::uint64_t> value_of_text(const Argument& argument, std::string_view text) {
    std::uint64_t value = 0;
    for (std::string_view rest = text;;) {
        const auto bar = rest.find('|');
        auto word = rest.substr(0, bar);
        while (word.starts_with(' ')) word.remove_prefix(1);
        while (word.ends_with(' ')) word.remove_suffix(1);
        value |= TRY(word_value(argument, word));
        if (bar == std::string_view::npos) break;
        rest.remove_prefix(bar + 1);
    }
    const std::uint64_t above = value & ~argument.whole;
    const bool negative =
        above == ~argument.whole && (value & (argument.whole ^ (argument.whole >> 1U))) != 0;
    if (above != 0 && !negative)
        return fail(
            fmt::format("`{}` does not fit argument {} of {}", text, argument.name, argument.call->name), "",
            fmt::format("the kernel looks at its low {} bits", std::popcount(argument.whole)));
    return value & argument.whole;
}

Cube cube_at(unsigned index, std::uint64_t mask, std::uint64_t value) {
    Cube cube;
    cube.mask[index] = mask;
    cube.value[index] = value;
    return cube;
}

// The values of the bits in `mask` from `bound` on (or down to it), as cubes: at each bit where the bound
// lets the value leave it, everything below is free.
std::vector<Cube> beyond(unsigned index, std::uint64_t mask, std::uint64_t bound, bool upwards) {
    std::vector<Cube> cubes;
    std::uint64_t seen = 0;
    std::uint64_t prefix = 0;
    for (std::uint64_t bit = 1ULL << 63U; bit != 0; bit >>= 1U) {
        const bool set = (bound & bit) != 0;
        if ((mask & bit) == 0) {
            if (!set) continue;
            // The argument has 0 here, the bound 1: it is below, whatever follows.
            if (!upwards) cubes.push_back(cube_at(index, seen, prefix));
            return cubes;
        }
        if (set != upwards) cubes.push_back(cube_at(index, seen | bit, prefix | (upwards ? bit : 0)));
        seen |= bit;
        prefix |= set ? bit : 0;
    }
    cubes.push_back(cube_at(index, seen, prefix));
    return cubes;
}

Result<std::vector<Cube>> any_of(const Argument& argument, const Condition& condition, std::uint64_t mask) {
    std::vector<Cube> cubes;
    for (const auto& text : condition.values) {
        const auto value = TRY(value_of_text(argument, text));
        if ((value & ~mask) != 0)
            return fail(fmt::format("`{}` can never be what is left of {} under the mask `{}`", text,
                                    argument.name, *condition.mask),
                        "", "write it without the bits that the mask takes away");
        cubes.push_back(cube_at(argument.index, mask, value));
    }
    return simplified(std::move(cubes));
}

Result<std::vector<Cube>> bound_of(const Argument& argument, const Condition& condition, std::uint64_t mask) {
    if (condition.values.size() != 1)
        return fail(
            fmt::format("a bound of argument {} of {} is one number", argument.name, argument.call->name),
            "");
    const auto bound = TRY(value_of_text(argument, condition.values.front()));
    return beyond(argument.index, mask, bound, condition.op == Condition::Op::at_least);
}

Result<std::vector<Cube>> cubes_of(const SyscallRow& call, const Condition& condition) {
    const auto argument = TRY(find_argument(call, condition.arg));
    const std::uint64_t mask =
        condition.mask ? TRY(value_of_text(argument, *condition.mask)) : argument.whole;
    switch (condition.op) {
        case Condition::Op::in: return any_of(argument, condition, mask);
        case Condition::Op::not_in:
            return without(std::vector{Cube{}}, TRY(any_of(argument, condition, mask)));
        default: return bound_of(argument, condition, mask);
    }
}

}  // namespace

Result<void> check_call_name(const std::string& call) {
    if (find_syscall(call) != nullptr) return {};
    std::vector<std::string_view> known;
    for (const auto& row : syscalls()) known.push_back(row.name);
    return unknown_word(fmt::format("unknown system call `{}`", call), call, known);
}

Result<CallRule> rule_of(const std::string& call, const std::vector<Condition>& conditions) {
    CHECK(check_call_name(call));
    const auto& row = *find_syscall(call);
    std::vector<Cube> cubes = {Cube{}};
    for (const auto& condition : conditions) {
        cubes = both(cubes, TRY(cubes_of(row, condition)));
        if (cubes.size() > kMostCubes)
            return fail(fmt::format("the conditions on `{}` come to more than {} cases", call, kMostCubes),
                        "", "say it with fewer values, or with a mask");
    }
    if (cubes.empty())
        return fail(fmt::format("the conditions on `{}` can never hold together", call), "",
                    "take one of them away");
    return CallRule{simplified(std::move(cubes))};
}

}  // namespace guard::policies
