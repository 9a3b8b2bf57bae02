#include "base/proc_status.h"

#include <algorithm>
#include <bitset>

#include "base/split.h"

namespace guard {
namespace {

template <class T>
bool set_number(T& into, std::string_view text, int base = 10) {
    const auto value = number_of<T>(text, base);
    if (value) into = *value;
    return value.has_value();
}

template <class T>
bool set_optional(std::optional<T>& into, std::string_view text, int base = 10) {
    into = number_of<T>(text, base);
    return into.has_value();
}

bool set_ids(std::array<std::uint32_t, 4>& into, std::string_view text) {
    const auto words = words_of(text);
    if (words.size() != into.size()) return false;
    return std::ranges::equal(into, words, [](std::uint32_t& id, auto word) { return set_number(id, word); });
}

bool set_groups(std::vector<std::uint32_t>& into, std::string_view text) {
    for (const auto word : words_of(text)) {
        const auto group = number_of<std::uint32_t>(word);
        if (!group) return false;
        into.push_back(*group);
    }
    return true;
}

enum class Need : bool { optional, always };
struct Line {
    std::string_view name;
    Need need;
    bool (*read)(ProcStatus&, std::string_view);
};
constexpr auto kLines = std::to_array<Line>({
    {"Name", Need::always, [](auto& s, auto text) { return !(s.name = text).empty() || true; }},
    {"Umask", Need::optional, [](auto& s, auto text) { return set_optional(s.umask, text, 8); }},
    {"State", Need::always,
     [](auto& s, auto text) { return !text.empty() && (s.state = text.front()) != 0; }},
    {"Tgid", Need::always, [](auto& s, auto text) { return set_number(s.tgid, text); }},
    {"Pid", Need::always, [](auto& s, auto text) { return set_number(s.pid, text); }},
    {"PPid", Need::always, [](auto& s, auto text) { return set_number(s.ppid, text); }},
    {"TracerPid", Need::always, [](auto& s, auto text) { return set_number(s.tracer, text); }},
    {"Uid", Need::always, [](auto& s, auto text) { return set_ids(s.uid, text); }},
    {"Gid", Need::always, [](auto& s, auto text) { return set_ids(s.gid, text); }},
    {"Groups", Need::always, [](auto& s, auto text) { return set_groups(s.groups, text); }},
    {"Threads", Need::always, [](auto& s, auto text) { return set_number(s.threads, text); }},
    {"CapInh", Need::always, [](auto& s, auto text) { return set_number(s.cap_inheritable, text, 16); }},
    {"CapPrm", Need::always, [](auto& s, auto text) { return set_number(s.cap_permitted, text, 16); }},
    {"CapEff", Need::always, [](auto& s, auto text) { return set_number(s.cap_effective, text, 16); }},
    {"CapBnd", Need::always, [](auto& s, auto text) { return set_number(s.cap_bounding, text, 16); }},
    {"CapAmb", Need::always, [](auto& s, auto text) { return set_number(s.cap_ambient, text, 16); }},
    {"NoNewPrivs", Need::always, [](auto& s, auto text) { return set_number(s.no_new_privs, text); }},
    {"Seccomp", Need::always, [](auto& s, auto text) { return set_number(s.seccomp, text); }},
    {"Seccomp_filters", Need::optional,
     [](auto& s, auto text) { return set_optional(s.seccomp_filters, text); }},
    {"Cpus_allowed_list", Need::optional,
     [](auto& s, auto text) { return !(s.cpus_allowed = text).empty(); }},
});

}  // namespace

Result<ProcStatus> parse_proc_status(std::string_view text) {
    ProcStatus status;
    std::bitset<kLines.size()> seen;
    std::size_t next = 0;  // the kernel prints in the order of the table: look there first
    for (const auto line : lines_of(text)) {
        const auto colon = line.find(':');
        const auto name = line.substr(0, colon);
        const auto at =
            next < kLines.size() && kLines.at(next).name == name
                ? next
                : static_cast<std::size_t>(std::ranges::find(kLines, name, &Line::name) - kLines.begin());
        if (colon == std::string_view::npos || at == kLines.size()) continue;
        // A name is escaped by the kernel, so that no process can write lines of its own.
        auto value = line.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of('\t'), value.size()));
        if (!kLines.at(at).read(status, value))
            return fail("read a status file", "line " + std::string(line));
        seen.set(at);
        next = at + 1;
    }
    for (std::size_t at = 0; at < kLines.size(); ++at)
        if (kLines.at(at).need == Need::always && !seen.test(at))
            return fail("read a status file", "line " + std::string(kLines.at(at).name) + " is missing");
    return status;
}

}  // namespace guard
