#include "base/proc_limits.h"

#include "base/split.h"

namespace guard {
namespace {

bool set_bound(std::optional<std::uint64_t>& into, std::string_view word) {
    if (word == "unlimited") return true;
    into = number_of<std::uint64_t>(word);
    return into.has_value();
}

}  // namespace

Result<std::map<std::string, ProcLimit, std::less<>>> parse_proc_limits(std::string_view text) {
    std::map<std::string, ProcLimit, std::less<>> limits;
    constexpr std::size_t kNameWidth = 25;  // fs/proc/base.c prints "%-25s %-20s %-20s %-10s"
    for (const auto line : lines_of(text)) {
        if (line.starts_with("Limit ")) continue;
        const auto name = line.substr(0, kNameWidth);
        const auto words = line.size() > kNameWidth ? words_of(line.substr(kNameWidth)) : words_of("");
        ProcLimit limit;
        if (words.size() < 2 || !set_bound(limit.soft, words[0]) || !set_bound(limit.hard, words[1]))
            return fail("read a limits file", "line " + std::string(line));
        limits.emplace(name.substr(0, name.find_last_not_of(' ') + 1), limit);
    }
    return limits;
}

}  // namespace guard
