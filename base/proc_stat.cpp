#include "base/proc_stat.h"

#include <unistd.h>

#include <array>

#include "base/split.h"

namespace guard {
namespace {

template <auto Member>
bool set_member(ProcStat& stat, std::string_view word) {
    const auto number = number_of<std::remove_reference_t<decltype(stat.*Member)>>(word);
    if (number) stat.*Member = *number;
    return number.has_value();
}

struct FieldRow {
    std::size_t number;  // as the manual page counts, from 1
    bool (*read)(ProcStat&, std::string_view);
};
constexpr auto kFields = std::to_array<FieldRow>({
    {7, set_member<&ProcStat::terminal>},
    {9, set_member<&ProcStat::flags>},
    {19, set_member<&ProcStat::nice>},
    {22, set_member<&ProcStat::start>},
    {40, set_member<&ProcStat::realtime>},
    {41, set_member<&ProcStat::policy>},
    {50, set_member<&ProcStat::environment_begin>},
    {51, set_member<&ProcStat::environment_end>},
});
constexpr std::size_t kFirstAfterCommand = 3;

}  // namespace

Result<ProcStat> parse_proc_stat(std::string_view line) {
    const auto command = line.rfind(')');
    if (command == std::string_view::npos) return fail("read a stat line", "it has no command");
    const auto words = words_of(line.substr(command + 1));
    ProcStat stat;
    for (const auto& [number, read] : kFields)
        if (number - kFirstAfterCommand >= words.size() || !read(stat, words[number - kFirstAfterCommand]))
            return fail("read a stat line", "field " + std::to_string(number) + " is missing or no number");
    return stat;
}

std::uint64_t clock_ticks(std::uint64_t nanoseconds) {
    static const auto kTick = 1'000'000'000 / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return nanoseconds / kTick;
}

}  // namespace guard
