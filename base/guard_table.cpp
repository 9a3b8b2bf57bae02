#include "base/guard_table.h"

#include <linux/netlink.h>

#include <algorithm>
#include <set>

#include "base/links.h"
#include "base/nftables.h"
#include "base/split.h"

namespace guard {
namespace {

Result<netlink::Socket> open_table(int netns) {
    if (netns < 0) return nft::open_socket();
    return netlink::open_in(netns, NETLINK_NETFILTER);
}

}  // namespace

std::string comment_of(const TableWord& word) { return word.container + " " + word.kind + " " + word.word; }

std::optional<TableWord> word_of(std::string_view comment) {
    const auto parts = words_of(comment);
    if (parts.size() != 3) return std::nullopt;
    return TableWord{std::string(parts[0]), std::string(parts[1]), std::string(parts[2])};
}

Result<std::vector<TableWord>> read_guard_table(int netns) {
    auto socket = TRY(open_table(netns));
    std::set<TableWord> words;
    for (const auto set : kContainerSets)
        for (const auto& element : TRY(nft::elements_of(socket, kGuardTable, set)))
            if (auto word = word_of(element.comment)) words.insert(std::move(*word));
    return std::vector(words.begin(), words.end());
}

Result<std::vector<std::string>> strange_rules(int netns) {
    auto socket = TRY(open_table(netns));
    const auto counts = TRY(nft::elements_of(socket, kGuardTable, kRuleCountSet));
    const auto rules = TRY(nft::rules_of(socket, kGuardTable));
    std::vector<std::string> strange;
    for (const auto& rule : rules)
        if (rule.ends_with(": "))
            strange.push_back("a rule that guard did not make in chain " + rule.substr(0, rule.size() - 2));
    const auto made = counts.empty() ? std::nullopt : number_of<std::size_t>(counts.front().comment);
    if (!made || rules.size() != *made)
        strange.push_back(std::to_string(rules.size()) + " rules where guard made " +
                          (made ? std::to_string(*made) : "others"));
    return strange;
}

}  // namespace guard
