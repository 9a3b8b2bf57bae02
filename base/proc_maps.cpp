#include "base/proc_maps.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <optional>

#include "base/descriptor.h"
#include "base/mountinfo.h"
#include "base/split.h"
#include "base/sys.h"

namespace guard {
namespace {

constexpr std::string_view kDeleted = " (deleted)";

// struct procmap_query of linux/fs.h, newer than Debian 12's headers.
struct MappingQuery {
    std::uint64_t size, query_flags, query_addr;
    std::uint64_t vma_start, vma_end, vma_flags, vma_page_size, vma_offset, inode;
    std::uint32_t dev_major, dev_minor, vma_name_size, build_id_size;
    std::uint64_t vma_name_addr, build_id_addr;
};
constexpr unsigned long kQueryMapping = _IOWR('f', 17, MappingQuery);  // PROCMAP_QUERY
constexpr std::uint64_t kWritable = 0x02, kExecutable = 0x04, kThisOrNext = 0x10;

void add_code(MemoryMaps& maps, bool writable, std::string_view name, bool escaped) {
    maps.write_exec |= writable;
    if (!name.ends_with(kDeleted) || kind_of_descriptor(name) != DescriptorKind::file) return;
    name.remove_suffix(kDeleted.size());
    maps.deleted.insert(escaped ? unescape_octal(name) : std::string(name));
}

// None where the kernel does not answer to the end: then the file tells.
std::optional<MemoryMaps> asked_for_code(int file) {
    MemoryMaps maps;
    std::array<char, PATH_MAX> name;
    MappingQuery query{};
    query.size = sizeof query;
    query.query_flags = kExecutable | kThisOrNext;
    query.vma_name_addr = reinterpret_cast<std::uintptr_t>(name.data());
    for (;;) {
        query.vma_name_size = name.size();  // in: of the buffer; out: of the name with its end, 0 for none
        if (::ioctl(file, kQueryMapping, &query) < 0)
            return errno == ENOENT ? std::optional(std::move(maps)) : std::nullopt;
        const std::size_t length = query.vma_name_size == 0 ? 0 : query.vma_name_size - 1;
        add_code(maps, (query.vma_flags & kWritable) != 0, {name.data(), length}, false);
        if (query.vma_end <= query.query_addr) return std::nullopt;
        query.query_addr = query.vma_end;
    }
}

// "7f1c-7f1d r-xp 00000000 fe:00 1234    /usr/lib/libc.so.6 (deleted)": a JVM has thousands of lines, so no
// list of words is made.
Result<void> read_line(MemoryMaps& maps, std::string_view line) {
    const auto blank = line.find(' ');
    constexpr std::size_t kRights = 4;
    if (blank == std::string_view::npos || line.size() < blank + 1 + kRights)
        return fail("read the memory map", "line " + std::string(line));
    const auto rights = line.substr(blank + 1, kRights);
    const bool may_run = rights[2] == 'x';
    if (may_run) add_code(maps, rights[1] == 'w', line.substr(std::min(line.find('/'), line.size())), true);
    return {};
}

}  // namespace

Result<MemoryMaps> read_maps(int folder) {
    const auto file = TRY(sys::openat(folder, "maps", O_RDONLY));
    if (auto maps = asked_for_code(file.get())) return *std::move(maps);
    return parse_maps(TRY(sys::read_all(file.get(), "maps")));
}

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
