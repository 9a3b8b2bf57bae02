#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <optional>

#include "posture/constants.h"
#include "posture/filter_rules.h"
#include "posture/syscalls.h"

namespace guard {
namespace {

struct Interval {
    std::uint64_t low = 0, high = 0;
    auto operator<=>(const Interval&) const = default;
};

// What one argument must be: in one of some intervals, or equal under a mask to one of some values.
struct Test {
    std::uint64_t mask = 0;  // 0: `ranges` say it
    std::vector<std::uint64_t> values;
    std::vector<Interval> ranges;
    bool operator==(const Test&) const = default;
};
// One line of the description: argument -> test, all of which must hold.
using Line = std::map<unsigned, Test>;

// Every value that has `value` in the bits of `mask` and anything in the others, of which there are few.
std::vector<Interval> each_value(std::uint64_t value, std::uint64_t free) {
    std::vector<Interval> values;
    for (std::uint64_t bits = free;; bits = (bits - 1) & free) {
        values.push_back({value | bits, value | bits});
        if (bits == 0) return values;
    }
}

std::vector<Interval> merged(std::vector<Interval> ranges) {
    std::ranges::sort(ranges);
    std::vector<Interval> all;
    for (const auto& range : ranges) {
        const bool touches = !all.empty() && (all.back().high == ~0ULL || range.low <= all.back().high + 1);
        if (touches)
            all.back().high = std::max(all.back().high, range.high);
        else
            all.push_back(range);
    }
    return all;
}

// A mask of the highest bits of an argument alone makes an interval; one that leaves few bits open, a list.
Test test_of(std::uint64_t mask, std::uint64_t value, std::uint64_t whole) {
    constexpr int few_bits = 4;
    const std::uint64_t free = whole & ~mask;
    if ((mask & ~whole) != 0) return {mask, {value}, {}};
    if ((free & (free + 1)) == 0) return {0, {}, {{value, value | free}}};
    if (std::popcount(free) <= few_bits) return {0, {}, merged(each_value(value, free))};
    return {mask, {value}, {}};
}

Line line_of(const Cube& cube, const SyscallRow* call) {
    Line line;
    for (unsigned i = 0; i < cube.mask.size(); ++i)
        if (cube.mask[i] != 0)
            line[i] = test_of(cube.mask[i], cube.value[i] & cube.mask[i],
                              call == nullptr ? ~0ULL : argument_mask(*call, i));
    return line;
}

// "a or b" of two tests, where one test can say it.
std::optional<Test> either(Test one, const Test& other) {
    if (one.mask != other.mask) return std::nullopt;
    one.ranges.insert(one.ranges.end(), other.ranges.begin(), other.ranges.end());
    one.ranges = merged(std::move(one.ranges));
    one.values.insert(one.values.end(), other.values.begin(), other.values.end());
    std::ranges::sort(one.values);
    one.values.erase(std::ranges::unique(one.values).begin(), one.values.end());
    return one;
}

// Two lines that ask the same of every argument but one are one line.
std::optional<Line> joined(const Line& one, const Line& other) {
    if (one.size() != other.size()) return std::nullopt;
    std::optional<unsigned> differing;
    for (const auto& [argument, test] : one) {
        const auto same = other.find(argument);
        if (same == other.end()) return std::nullopt;
        if (same->second == test) continue;
        if (differing) return std::nullopt;
        differing = argument;
    }
    if (!differing) return one;
    auto test = either(one.at(*differing), other.at(*differing));
    if (!test) return std::nullopt;
    Line line = one;
    line[*differing] = std::move(*test);
    return line;
}

std::vector<Line> joined(std::vector<Line> lines) {
    for (std::size_t i = 0; i < lines.size();) {
        std::size_t j = i + 1;
        std::optional<Line> line;
        while (j < lines.size() && !(line = joined(lines[i], lines[j]))) ++j;
        if (!line) {
            ++i;
            continue;
        }
        lines[i] = std::move(*line);
        lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(j));
        i = 0;  // the wider line may now join with one it could not before
    }
    return lines;
}

std::string list_in_words(const std::vector<std::string>& words, std::string_view last) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "" : i + 1 == words.size() ? fmt::format(" {} ", last) : ", ") + words[i];
    return text;
}

std::string number_in_words(std::uint64_t value) {
    return value < 10 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string value_in_words(ConstantSet set, std::uint64_t value) {
    const auto* constant = find_constant(set, value);
    return constant == nullptr ? number_in_words(value) : std::string(constant->name);
}

// A mask as the flags it is made of, or as a number where a bit of it has no name.
std::vector<std::string> bits_in_words(ConstantSet set, std::uint64_t mask) {
    std::vector<std::string> words;
    std::uint64_t rest = mask;
    for (const auto& constant : constants()) {
        if (constant.set != set || !std::has_single_bit(constant.value) || (constant.value & rest) == 0)
            continue;
        words.emplace_back(constant.name);
        rest &= ~constant.value;
    }
    return rest == 0 ? words : std::vector{fmt::format("{:#x}", mask)};
}

std::string mask_test_in_words(const std::string& name, ConstantSet set, const Test& test) {
    const auto bits = bits_in_words(set, test.mask);
    const bool one = test.values.size() == 1;
    if (one && test.values.front() == 0) return fmt::format("{} has no {}", name, list_in_words(bits, "or"));
    if (one && test.values.front() == test.mask)
        return fmt::format("{} has {}", name, list_in_words(bits, "and"));
    std::vector<std::string> values;
    for (const auto value : test.values) values.push_back(value_in_words(set, value));
    return fmt::format("{} & {} is {}", name, fmt::join(bits, "|"), list_in_words(values, "or"));
}

// A range of which each value has a name is told by names.
bool all_named(ConstantSet set, const Interval& range) {
    constexpr std::uint64_t short_list = 16;
    if (range.high - range.low >= short_list) return false;
    for (std::uint64_t value = range.low; value - range.low <= range.high - range.low; ++value)
        if (find_constant(set, value) == nullptr) return false;
    return true;
}

void range_in_words(ConstantSet set, const Interval& range, std::uint64_t whole,
                    std::vector<std::string>& words) {
    if (range.low == range.high || all_named(set, range)) {
        for (std::uint64_t value = range.low; value - range.low <= range.high - range.low; ++value)
            words.push_back(value_in_words(set, value));
        return;
    }
    const auto low = number_in_words(range.low);
    const auto high = number_in_words(range.high);
    if (range.low == 0)
        words.push_back("at most " + high);
    else if (range.high == whole)
        words.push_back("at least " + low);
    else
        words.push_back(fmt::format("{} to {}", low, high));
}

std::string test_in_words(const SyscallRow* call, unsigned argument, const Test& test) {
    const std::string_view known = call == nullptr ? "" : call->arguments[argument].name;
    const auto name = known.empty() ? fmt::format("argument {}", argument) : std::string(known);
    const auto set = call == nullptr ? ConstantSet::none : constants_of(call->name, known);
    if (test.mask != 0) return mask_test_in_words(name, set, test);
    const std::uint64_t whole = call == nullptr ? ~0ULL : argument_mask(*call, argument);
    std::vector<std::string> ranges;
    for (const auto& range : test.ranges) range_in_words(set, range, whole, ranges);
    return fmt::format("{} is {}", name, list_in_words(ranges, "or"));
}

}  // namespace

std::string describe_rule(std::string_view call, const CallRule& rule) {
    if (rule.when.empty()) return "never";
    if (rule.always()) return "always";
    const auto* row = find_syscall(call);
    std::vector<Line> lines;
    for (const auto& cube : rule.when) lines.push_back(line_of(cube, row));
    std::vector<std::string> texts;
    for (const auto& line : joined(std::move(lines))) {
        std::vector<std::string> tests;
        for (const auto& [argument, test] : line) tests.push_back(test_in_words(row, argument, test));
        texts.push_back(fmt::format("{}", fmt::join(tests, " and ")));
    }
    return fmt::format("{}", fmt::join(texts, "; or "));
}

}  // namespace guard
