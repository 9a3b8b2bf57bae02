#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launcher/state.h"

/// Which host ids belong to which container. Kept in a file of one line a container, "NAME BASE COUNT";
/// replaced in one step, so that a crash leaves the old file or the new one.
namespace guard::launcher {

/// The ids guard gives out: a part of the range that user management leaves alone (systemd.io/UIDS-GIDS: from
/// 0x70000000, above the ranges of nspawn and of /etc/subuid, below the 32-bit sign).
inline constexpr std::uint32_t kFirstId = 0x70000000, kEndOfIds = 0x7FFE0000, kIdsEach = 65'536;

/// Name -> range.
using IdTable = std::map<std::string, IdRange>;
/// Fails with the line that is broken: a range is never given out again because a file could not be read.
[[nodiscard]] Result<IdTable> parse_id_table(std::string_view text);
[[nodiscard]] std::string format_id_table(const IdTable& table);

/// Ids that others use: the ranges of /etc/subuid and /etc/subgid, the users of /etc/passwd, the groups of
/// /etc/group. `etc` is that folder.
[[nodiscard]] std::vector<IdRange> foreign_ids(const std::string& etc = "/etc");

/// The first free range. Fails where all are given out.
[[nodiscard]] Result<IdRange> next_range(const IdTable& table, const std::vector<IdRange>& foreign);

/// id_range_for of state.h, in folders of one's choice.
[[nodiscard]] Result<IdRange> id_range_in(const std::string& state_folder, const std::string& name,
                                          const std::string& etc);

}  // namespace guard::launcher
