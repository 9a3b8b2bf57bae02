#include "base/proc_maps.h"

#include "base/descriptor.h"
#include "base/mountinfo.h"
#include "base/split.h"

namespace guard {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

// "7f1c-7f1d r-xp 00000000 fe:00 1234    /usr/lib/libc.so.6 (deleted)": a JVM has thousands of lines, so no
// list of words is made.
Result<void> read_line(MemoryMaps& maps, std::string_view line) {
    const auto blank = line.find(' ');
    constexpr std::size_t kRights = 4;
    if (blank == std::string_view::npos || line.size() < blank + 1 + kRights)
        return fail("read the memory map", "line " + std::string(line));
    const auto rights = line.substr(blank + 1, kRights);
    const bool may_run = rights[2] == 'x';
    if (!may_run) return {};
    maps.write_exec |= rights[1] == 'w';
    if (!line.ends_with(kDeleted)) return {};
    const auto path = line.substr(std::min(line.find('/'), line.size()));
    if (kind_of_descriptor(path) == DescriptorKind::file)
        maps.deleted.insert(unescape_octal(path.substr(0, path.size() - kDeleted.size())));
    return {};
}

}  // namespace

Result<MemoryMaps> parse_maps(std::string_view text) {
    MemoryMaps maps;
    while (!text.empty()) {
        const auto end = text.find('\n');
        CHECK(read_line(maps, text.substr(0, end)));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return maps;
}

std::set<std::string> names_in_environment(std::string_view block) {
    std::set<std::string> names;
    for (const auto entry : split(block, '\0'))
        if (const auto equals = entry.find('='); equals != std::string_view::npos && equals > 0)
            names.emplace(entry.substr(0, equals));
    return names;
}

}  // namespace guard
