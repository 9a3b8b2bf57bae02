#include "posture/filter/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>
#include <vector>

#include "posture/constants.h"
#include "posture/syscall_abi.h"

namespace guard {
namespace {

struct ActionRow {
    std::uint32_t action;
    std::string_view words;
};
constexpr auto kActions = std::to_array<ActionRow>({
    {SECCOMP_RET_KILL_PROCESS, "the process is killed"},
    {SECCOMP_RET_KILL_THREAD, "the thread is killed"},
    {SECCOMP_RET_TRAP, "refused (SIGSYS)"},
    {SECCOMP_RET_USER_NOTIF, "asked of a supervisor"},
    {SECCOMP_RET_TRACE, "asked of a tracer"},
    {SECCOMP_RET_LOG, "allowed and logged"},
    {SECCOMP_RET_ALLOW, "allowed"},
});

std::string refused_with(int error) {
    const char* name = ::strerrorname_np(error);
    if (error == 0) return "skipped, as if it had succeeded";
    return name == nullptr ? fmt::format("refused (errno {})", error) : fmt::format("refused ({})", name);
}

// Calls of which the arguments say less than what they do.
struct UnseenRow {
    std::string_view call, what;
};
constexpr auto kUnseen = std::to_array<UnseenRow>({
    {"bpf", "what it loads or changes is in memory, where no filter can look"},
    {"clone3", "its flags are in memory, where no filter can look"},
    {"io_uring_enter", "what it does on files and network is in memory, where no filter can look"},
    {"io_uring_register", "what it does on files and network is in memory, where no filter can look"},
    {"io_uring_setup", "its flags are in memory, and so is what the ring then does on files and network"},
    {"ioctl", "a filter sees the request and not the structure behind it, nor which device it is for"},
    {"ipc", "which of twelve calls it is for is seen, what it is given is not"},
    {"mount_setattr", "which flags it sets is in memory, where no filter can look"},
    {"openat2", "its flags are in memory, where no filter can look"},
    {"sendmsg", "control messages are in memory, where no filter can look"},
    {"socketcall", "which family of sockets it is for is in memory, where no filter can look"},
});

// Only these sockets have protocols with names of their own; elsewhere 0 means "the usual one".
bool is_other_protocol(std::string_view argument, const seccomp_data& data) {
    constexpr std::uint64_t kNetlink = 16;  // AF_NETLINK
    return argument == "protocol" && data.args[0] != kNetlink;
}

std::string number_in_words(std::uint64_t value) {
    return value < 10 ? fmt::format("{}", value) : fmt::format("{:#x}", value);
}

std::string value_in_words(ConstantSet set, std::uint64_t value) {
    const auto* const constant = find_constant(set, value);
    return constant == nullptr ? number_in_words(value) : std::string(constant->name);
}

std::string list_in_words(const std::vector<std::string>& words, std::string_view last) {
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "" : i + 1 == words.size() ? fmt::format(" {} ", last) : ", ") + words[i];
    return text;
}

// The flags that a mask is made of; none where a bit of it has no name.
std::vector<std::string> flags_of(ConstantSet set, std::uint64_t mask) {
    std::vector<std::string> words;
    std::uint64_t rest = mask;
    for (const auto& constant : constants()) {
        if (constant.set != set || !std::has_single_bit(constant.value) || (constant.value & rest) == 0)
            continue;
        words.emplace_back(constant.name);
        rest &= ~constant.value;
    }
    return rest == 0 ? words : std::vector<std::string>{};
}

// One test in words.
class TestWords {
public:
    TestWords(const SyscallRow* call, Abi abi, const ArgumentTest& test) : test_(test) {
        const auto known = call == nullptr ? std::string_view() : call->arguments.at(test.argument).name;
        plain_ = known.empty() ? fmt::format("argument {}", test.argument) : std::string(known);
        if (call != nullptr) set_ = constants_of(call->name, known);
        const std::uint64_t looked_at = call == nullptr ? ~0ULL : argument_mask(*call, test.argument);
        bits_ = static_cast<unsigned>(std::popcount(looked_at & argument_bits(abi)));
    }

    [[nodiscard]] std::string text() const {
        if (!test_.ranges.empty()) return ranges();
        std::vector<std::string> parts;
        const bool alone = test_.masked.size() == 1;
        for (const auto& masked : test_.masked) parts.push_back(bits_test(masked, test_.outside && alone));
        if (alone) return parts.front();
        return fmt::format("{}({})", test_.outside ? "not " : "", fmt::join(parts, " or "));
    }

private:
    // Which part of the argument the ranges are of, where that is not what the kernel looks at.
    [[nodiscard]] std::string name() const {
        if (test_.width == bits_) return plain_;
        if (test_.width > bits_) return fmt::format("{} with all its {} bits", plain_, test_.width);
        if (test_.width == 32) return "the low half of " + plain_;
        return fmt::format("{} & 0xffff", plain_);
    }

    [[nodiscard]] std::string ranges() const {
        std::vector<std::string> words;
        for (const auto& range : test_.ranges) add(range, words);
        const auto list = list_in_words(words, "or");
        if (!test_.outside) return fmt::format("{} is {}", name(), list);
        return fmt::format("{} is {} {}", name(), words.size() == 1 ? "not" : "none of", list);
    }

    // A range of which each value has a name is told by names.
    [[nodiscard]] bool all_named(const Range& range) const {
        constexpr std::uint64_t short_list = 16;
        if (range.high - range.low >= short_list) return false;
        for (std::uint64_t i = 0; i <= range.high - range.low; ++i)
            if (find_constant(set_, range.low + i) == nullptr) return false;
        return true;
    }

    // An end of a range: the number says which values lie between, the name what it is.
    [[nodiscard]] std::string end_in_words(std::uint64_t value) const {
        const auto* const constant = find_constant(set_, value);
        const auto number = number_in_words(value);
        return constant == nullptr ? number : fmt::format("{} ({})", number, constant->name);
    }

    void add(const Range& range, std::vector<std::string>& words) const {
        const std::uint64_t most = test_.width == 64 ? ~0ULL : (1ULL << test_.width) - 1;
        if (range.low == range.high || all_named(range)) {
            for (std::uint64_t i = 0; i <= range.high - range.low; ++i)
                words.push_back(value_in_words(set_, range.low + i));
        } else if (range.low == 0) {
            words.push_back("at most " + end_in_words(range.high));
        } else if (range.high == most) {
            words.push_back("at least " + end_in_words(range.low));
        } else {
            words.push_back(fmt::format("{} to {}", end_in_words(range.low), end_in_words(range.high)));
        }
    }

    [[nodiscard]] std::string bits_test(const Masked& masked, bool outside) const {
        const auto value = masked.values.front();
        const auto set = flags_of(set_, value);
        const auto clear = flags_of(set_, masked.mask & ~value);
        const bool named = (value == 0 || !set.empty()) && (value == masked.mask || !clear.empty());
        const bool mixed = value != 0 && value != masked.mask;
        if (masked.values.size() > 1 || !named || (mixed && outside)) return values_test(masked, outside);
        if (value == masked.mask)
            return outside ? fmt::format("{} lacks {}", plain_, list_in_words(set, "or"))
                           : fmt::format("{} has {}", plain_, list_in_words(set, "and"));
        if (!mixed)
            return outside ? fmt::format("{} has {}", plain_, list_in_words(clear, "or"))
                           : fmt::format("{} has no {}", plain_, list_in_words(clear, "or"));
        return fmt::format("{} has {} and no {}", plain_, list_in_words(set, "and"),
                           list_in_words(clear, "or"));
    }

    [[nodiscard]] std::string values_test(const Masked& masked, bool outside) const {
        std::vector<std::string> values;
        for (const auto value : masked.values) values.push_back(value_in_words(set_, value));
        auto mask = flags_of(set_, masked.mask);
        if (mask.empty()) mask = {fmt::format("{:#x}", masked.mask)};
        const auto* const not_in = values.size() == 1 ? " not" : " none of";
        return fmt::format("{} & {} is{} {}", plain_, fmt::join(mask, "|"), outside ? not_in : "",
                           list_in_words(values, "or"));
    }

    const ArgumentTest& test_;
    std::string plain_;
    ConstantSet set_ = ConstantSet::none;
    unsigned bits_ = 64;
};

std::string given_in_words(const SyscallRow* call, const seccomp_data& data) {
    std::vector<std::string> words;
    const bool named = call != nullptr && !call->arguments[0].name.empty();
    for (std::size_t i = 0; i < 6; ++i) {
        const auto name = named ? call->arguments.at(i).name : std::string_view();
        if (named && name.empty()) break;
        const bool bare = !named || is_other_protocol(name, data);
        words.push_back(
            value_in_words(bare ? ConstantSet::none : constants_of(call->name, name), data.args[i]));
    }
    return fmt::format("({})", fmt::join(words, ", "));
}

std::string of_abi(const AbiRow* abi) {
    if (abi == nullptr) return " of another architecture";
    return abi->abi == Abi::x86_64 ? "" : fmt::format(" of {}", abi->name);
}

std::string numbers_in_words(const AbiRow* abi, const NumberRange& range) {
    if (range.first == ~0U) return "-1";
    const std::uint32_t base = abi != nullptr && abi->abi == Abi::x32 ? kX32Bit : 0;
    const bool to_the_end = range.last == ~0U || range.last == kX32Bit - 1 || range.last == ~0U - 1;
    if (range.first == range.last) return fmt::format("{:#x}", range.first - base);
    if (to_the_end) return fmt::format("{:#x} and above", range.first - base);
    return fmt::format("{:#x}-{:#x}", range.first - base, range.last - base);
}

}  // namespace

std::string answer_in_words(std::uint32_t answer) {
    const std::uint32_t action = answer & SECCOMP_RET_ACTION_FULL;
    if (action == SECCOMP_RET_ERRNO) return refused_with(static_cast<int>(answer & SECCOMP_RET_DATA));
    const auto* const row = std::ranges::find(kActions, action, &ActionRow::action);
    return row == kActions.end() ? "the process is killed" : std::string(row->words);
}

std::string call_in_words(const seccomp_data& data) {
    const auto number = static_cast<std::uint32_t>(data.nr);
    const auto* const abi = find_abi(data.arch, number);
    const auto* const call = abi == nullptr ? nullptr : find_syscall(abi->abi, number);
    const auto name = call == nullptr ? fmt::format("call {:#x}", number) : std::string(call->name);
    const auto text = name + given_in_words(call, data);
    return abi == nullptr ? fmt::format("{} of ABI {:#x}", text, data.arch) : text + of_abi(abi);
}

std::string arguments_in_words(const SyscallRow* call, Abi abi, const ArgumentSet& arguments) {
    if (arguments.always()) return arguments.by_address ? "for calls from some addresses" : "always";
    if (arguments.cases.empty()) return arguments.complete ? "never" : "in more cases than can be listed";
    std::vector<std::string> texts;
    for (const auto& one : arguments.cases) {
        std::vector<std::string> tests;
        for (const auto& test : one) tests.push_back(TestWords(call, abi, test).text());
        texts.push_back(fmt::format("{}", fmt::join(tests, " and ")));
    }
    auto text = fmt::format("{}", fmt::join(texts, "; or "));
    if (!arguments.complete) text += "; and in more cases than can be listed";
    if (arguments.by_address) text += "; for calls from some addresses";
    return text;
}

std::string subject_in_words(const FilterChange& change) {
    if (change.call != nullptr) return std::string(change.call->name) + of_abi(change.abi);
    std::vector<std::string> numbers;
    for (const auto& range : change.numbers) numbers.push_back(numbers_in_words(change.abi, range));
    if (change.abi == nullptr && change.numbers == std::vector<NumberRange>{{0, ~0U}})
        return "every call" + of_abi(change.abi);
    const bool one = change.numbers.size() == 1 && change.numbers[0].first == change.numbers[0].last;
    return fmt::format("{} {}{}", one ? "call" : "calls", list_in_words(numbers, "and"), of_abi(change.abi));
}

std::string change_in_words(const FilterChange& change) {
    const Abi abi = change.abi == nullptr ? Abi::x86_64 : change.abi->abi;
    auto text = fmt::format("{}: {} -> {}", subject_in_words(change), answer_in_words(change.before),
                            answer_in_words(change.after));
    if (change.arguments.always() && !change.arguments.by_address) return text + ", any arguments";
    text += ", where " + arguments_in_words(change.call, abi, change.arguments);
    const auto unseen = change.call == nullptr ? std::string_view() : unseen_by_filters(change.call->name);
    return unseen.empty() ? text : fmt::format("{}; {}", text, unseen);
}

std::string_view unseen_by_filters(std::string_view call) {
    const auto* const row = std::ranges::find(kUnseen, call, &UnseenRow::call);
    return row == kUnseen.end() ? "" : row->what;
}

}  // namespace guard
