#include <algorithm>
#include <array>
#include <cerrno>
#include <map>
#include <set>

#include "base/guard_table.h"
#include "launcher/dns_lookup.h"
#include "launcher/network.h"
#include "launcher/network_table.h"
#include "launcher/reach_words.h"

namespace guard::launcher {
namespace {

using std::chrono::seconds;

// Asked again when the record runs out; the address is let through somewhat longer, since a program may keep
// using what it was told a moment before.
constexpr seconds kShortest{30}, kLongest{3600}, kRetry{10}, kGrace{300};

/// Ends of names that stand for machines at home. Any other name that leads to a private address is somebody
/// else's way into the home network, so that address is left out.
constexpr auto kHomeEnds =
    std::to_array<std::string_view>({".lan", ".home", ".local", ".internal", ".home.arpa", ".test"});

bool may_stand_for(const std::string& name, const IpAddress& address) {
    if (!is_private(address)) return true;
    return !is_loopback(address) &&
           std::ranges::any_of(kHomeEnds, [&](auto end) { return name.ends_with(end); });
}

struct NameWord {
    std::string text;
    EgressWord word;
};
Result<std::vector<NameWord>> names_of(const NetworkPlan& plan) {
    std::vector<NameWord> names;
    for (const auto& text : plan.egress) {
        auto word = TRY(parse_egress(text));
        if (word.to == EgressWord::To::name) names.push_back({text, std::move(word)});
    }
    return names;
}

std::vector<IpAddress> own_addresses(const NetworkPlan& plan) {
    std::vector<IpAddress> own;
    for (const auto& text : {plan.address4, plan.address6})
        if (const auto address = parse_address(text)) own.push_back(*address);
    return own;
}

struct Found {
    std::vector<NamedAddress> addresses;
    seconds next = kLongest;
};
void look_up_word(const NameWord& name, IpFamily family, Found& found) {
    const auto answers = look_up(name.word.name, family);
    if (!answers) found.next = std::min(found.next, kRetry);  // what is in the table stays until it runs out
    for (const auto& [address, lives] : answers.value_or(std::vector<LookedUp>{})) {
        const auto kept = std::clamp(lives, kShortest, kLongest);
        found.next = std::min(found.next, kept);
        if (may_stand_for(name.word.name, address))
            found.addresses.push_back({name.word, name.text, address, kept + kGrace});
    }
}

/// The destination in a key of `named4` or `named6`: its second field.
std::string destination_of(const nft::Element& element) {
    return element.key.substr(element.key.size() == 16 ? 4 : 16, element.key.size() == 16 ? 4 : 16);
}

/// What was found replaces what stood for the same addresses; what was not found again ends by itself.
Result<void> replace(netlink::Socket& socket, const std::string& container,
                     const std::vector<SetElements>& sets) {
    nft::Batch batch(kGuardTable);
    for (const auto& set : sets) {
        std::set<std::string> fresh;
        for (const auto& element : set.elements) fresh.insert(destination_of(element));
        auto old = TRY(nft::elements_of(socket, kGuardTable, set.set));
        std::erase_if(old, [&](const nft::Element& element) {
            return !element.comment.starts_with(container + " ") || !fresh.contains(destination_of(element));
        });
        batch.delete_elements(set.set, old);
        batch.add_elements(set.set, set.elements);
    }
    return batch.commit(socket);
}

}  // namespace

Result<std::chrono::steady_clock::time_point> refresh_names(const NetworkPlan& plan) {
    const auto never = std::chrono::steady_clock::time_point::max();
    if (plan.mode != NetworkMode::bridge) return never;
    const auto names = TRY(names_of(plan));
    if (names.empty()) return never;
    Found found;
    const auto own = own_addresses(plan);
    for (const auto& name : names)
        for (const auto& address : own) look_up_word(name, address.family, found);
    const auto sets = elements_for_names(plan.name, own, found.addresses);
    auto socket = TRY(nft::open_socket());
    auto done = replace(socket, plan.name, sets);
    // An old element may run out between the reading and the batch, which then fails whole.
    if (!done && done.error().code == ENOENT) done = replace(socket, plan.name, sets);
    if (!done) return std::unexpected(done.error());
    return std::chrono::steady_clock::now() + found.next;
}

}  // namespace guard::launcher
