#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

/// What the nft table `inet guard` holds, as launcher writes it and anybody may read it back. Each element of
/// a container has the comment "CONTAINER KIND WORD": the word of the profile it stands for, every part
/// filled in. One word may need many elements; they all carry it.
namespace guard {

inline constexpr std::string_view kGuardTable = "guard";
/// The sets and maps whose elements are a container's.
inline constexpr auto kContainerSets = std::to_array<std::string_view>(
    {"sources4",  "sources6",  "containers4", "containers6", "self4",   "self6",  "publish4",
     "publish6",  "peers4",    "peers6",      "egress4",     "egress6", "named4", "named6",
     "internet4", "internet6", "lan4",        "lan6",        "host4",   "host6",  "words"});
/// One element whose comment says how many rules the table was made with.
inline constexpr std::string_view kRuleCountSet = "rules";

struct TableWord {
    std::string container;
    std::string kind;  ///< "publish", "egress", "peers", "address"
    std::string word;  ///< "lan:25565:25565/tcp"
    auto operator<=>(const TableWord&) const = default;
};
[[nodiscard]] std::string comment_of(const TableWord& word);
/// Nothing where the comment is not of that form.
[[nodiscard]] std::optional<TableWord> word_of(std::string_view comment);

/// What is in force, without doubles, sorted. `netns`: a network namespace to look in, -1 for the caller's.
/// Fails with ENOENT where there is no such table: then nothing is in force.
[[nodiscard]] Result<std::vector<TableWord>> read_guard_table(int netns = -1);

/// How the table's rules differ from how guard made them, in words; empty where they do not. A rule of
/// somebody else's in this table could let anything pass. Fails with ENOENT where there is no such table.
[[nodiscard]] Result<std::vector<std::string>> strange_rules(int netns = -1);

}  // namespace guard
