#include "launcher/ids.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

#include "base/split.h"
#include "base/sys.h"

namespace guard::launcher {
namespace {

constexpr mode_t kOwnerOnly = 0700;

bool overlap(const IdRange& a, const IdRange& b) {
    return std::uint64_t{a.base} < std::uint64_t{b.base} + b.count &&
           std::uint64_t{b.base} < std::uint64_t{a.base} + a.count;
}

Result<std::pair<std::string, IdRange>> parse_row(std::string_view line) {
    const auto wrong = [line] {
        return fail(fmt::format("read \"{}\"", line), "want NAME BASE COUNT",
                    "put the line right by hand: the files of that container belong to its range");
    };
    const auto words = words_of(line);
    if (words.size() != 3) return wrong();
    const auto base = number_of<std::uint32_t>(words[1]);
    const auto count = number_of<std::uint32_t>(words[2]);
    if (!base || !count || *base == 0 || *count == 0 || !check_name(std::string(words[0]))) return wrong();
    return std::pair{std::string(words[0]), IdRange{*base, *count}};
}

// NAME:BASE:COUNT of subuid(5); NAME:x:ID of passwd(5) and group(5).
void add_foreign(const std::string& path, bool ranges, std::vector<IdRange>& foreign) {
    const auto text = sys::read_file(path);
    if (!text) return;  // a host without the file has nobody in it
    for (const auto line : lines_of(*text)) {
        const auto fields = split(line, ':');
        if (fields.size() < 3) continue;
        const auto base = number_of<std::uint32_t>(ranges ? fields[1] : fields[2]);
        const auto count = ranges ? number_of<std::uint32_t>(fields[2]) : std::uint32_t{1};
        if (base && count) foreign.push_back({*base, *count});
    }
}

// A crash between the two calls of sys::replace_file leaves a file beside the table that nobody reads.
void remove_torn_files(const std::string& folder) {
    constexpr std::size_t kSuffix = 6;
    const auto names = sys::list_directory(AT_FDCWD, folder);
    if (!names) return;
    for (const auto& name : *names)
        if (name.starts_with("ids.") && name.size() == 4 + kSuffix) ::unlink((folder + "/" + name).c_str());
}

Result<UniqueFd> lock_table(const std::string& folder) {
    auto lock = TRY(sys::open(folder + "/ids.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    if (TEMP_FAILURE_RETRY(::flock(lock.get(), LOCK_EX)) < 0)
        return fail_errno("lock " + folder + "/ids", errno);
    return lock;
}

Result<IdTable> read_table(const std::string& path) {
    auto text = sys::read_file(path);
    if (!text && text.error().code == ENOENT) return IdTable{};
    if (!text) return std::unexpected(text.error());
    auto table = parse_id_table(*text);
    if (!table) table.error().attempt = path + ": " + table.error().attempt;
    return table;
}

}  // namespace

Result<IdTable> parse_id_table(std::string_view text) {
    IdTable table;
    for (const auto line : lines_of(text)) {
        auto [name, range] = TRY(parse_row(line));
        for (const auto& [other, taken] : table)
            if (overlap(range, taken))
                return fail(fmt::format("read \"{}\"", line), "the range is also of " + other,
                            "remove one of the two lines");
        if (!table.emplace(name, range).second)
            return fail(fmt::format("read \"{}\"", line), name + " has two ranges",
                        "remove one of the two lines");
    }
    return table;
}

std::string format_id_table(const IdTable& table) {
    std::string text;
    for (const auto& [name, range] : table) text += fmt::format("{} {} {}\n", name, range.base, range.count);
    return text;
}

std::vector<IdRange> foreign_ids(const std::string& etc) {
    std::vector<IdRange> foreign;
    for (const auto* file : {"/subuid", "/subgid"}) add_foreign(etc + file, true, foreign);
    for (const auto* file : {"/passwd", "/group"}) add_foreign(etc + file, false, foreign);
    return foreign;
}

Result<IdRange> next_range(const IdTable& table, const std::vector<IdRange>& foreign) {
    for (std::uint32_t base = kFirstId; base < kEndOfIds; base += kIdsEach) {
        const IdRange range{base, kIdsEach};
        const auto taken = [&range](const IdRange& other) { return overlap(range, other); };
        const bool free = std::ranges::none_of(foreign, taken) &&
                          std::ranges::none_of(table, [&](const auto& row) { return taken(row.second); });
        if (free) return range;
    }
    return fail("find user ids for a new container", "every range is given out",
                "remove the lines of containers that you no longer have from /var/lib/guard/.state/ids");
}

Result<IdRange> id_range_in(const std::string& state_folder, const std::string& name,
                            const std::string& etc) {
    CHECK(check_name(name));
    CHECK(sys::make_directories(state_folder, kOwnerOnly));
    const auto lock = TRY(lock_table(state_folder));
    const auto path = state_folder + "/ids";
    auto table = TRY(read_table(path));
    if (const auto own = table.find(name); own != table.end()) return own->second;
    remove_torn_files(state_folder);
    const auto range = TRY(next_range(table, foreign_ids(etc)));
    table[name] = range;
    CHECK(sys::replace_file(path, format_id_table(table), 0600, sys::Sync::yes));
    return range;
}

Result<IdRange> id_range_for(const std::string& name) {
    return id_range_in(state_paths().lib + "/.state", name, "/etc");
}

}  // namespace guard::launcher
