#include "launcher/network_names.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/guard_table.h"
#include "launcher/network_table.h"

namespace guard::launcher {
namespace {

using std::chrono::seconds;

// Asked again when the record runs out; the address is let through somewhat longer, since a program may keep
// using what it was told a moment before.
constexpr seconds kShortest{30}, kLongest{3600}, kGrace{300};

/// Ends of names that stand for machines at home. Any other name that leads to a private address is somebody
/// else's way into the home network, so that address is left out.
constexpr auto kHomeEnds =
    std::to_array<std::string_view>({".lan", ".home", ".local", ".internal", ".home.arpa", ".test"});

bool may_stand_for(const std::string& name, const IpAddress& address) {
    if (!is_private(address)) return true;
    return !is_loopback(address) &&
           std::ranges::any_of(kHomeEnds, [&](auto end) { return name.ends_with(end); });
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

Result<std::vector<EgressName>> names_in(const NetworkPlan& plan) {
    std::vector<EgressName> names;
    if (plan.mode != NetworkMode::bridge) return names;
    for (const auto& text : plan.egress) {
        auto word = TRY(parse_egress(text));
        if (word.to == EgressWord::To::name) names.push_back({text, std::move(word)});
    }
    return names;
}

seconds kept(seconds lives) { return std::clamp(lives, kShortest, kLongest); }

std::vector<IpAddress> own_addresses(const NetworkPlan& plan) {
    std::vector<IpAddress> own;
    for (const auto& text : {plan.address4, plan.address6})
        if (const auto address = parse_address(text)) own.push_back(*address);
    return own;
}

Result<void> let_through(const NetworkPlan& plan, const std::vector<EgressName>& names,
                         const std::vector<StandsFor>& known) {
    const auto now = std::chrono::steady_clock::now();
    std::vector<NamedAddress> named;
    for (const auto& [name, address, until] : known) {
        const auto& [text, word] = names.at(name);
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now) + kGrace;
        if (may_stand_for(word.name, address) && left.count() > 0)
            named.push_back({word, text, address, left});
    }
    if (named.empty()) return {};
    // All names in one: two of them may stand for one machine, each with ports of its own.
    const auto sets = elements_for_names(plan.name, own_addresses(plan), named);
    auto socket = TRY(nft::open_socket());
    auto done = replace(socket, plan.name, sets);
    // An old element may run out between the reading and the batch, which then fails whole.
    if (!done && done.error().code == ENOENT) done = replace(socket, plan.name, sets);
    return done;
}

Result<std::map<std::string, std::vector<std::string>>> addresses_of_names(const std::string& container) {
    std::map<std::string, std::vector<std::string>> found;
    auto socket = TRY(nft::open_socket());
    for (const auto& [set, family] : {std::pair{"named4", IpFamily::v4}, std::pair{"named6", IpFamily::v6}})
        for (const auto& element : TRY(nft::elements_of(socket, kGuardTable, set))) {
            const auto word = word_of(element.comment);
            if (!word || word->container != container) continue;
            IpAddress address{family, {}};
            std::ranges::copy(destination_of(element), address.bytes.begin());
            auto& addresses = found[word->word];
            // One for each protocol that the word lets through.
            if (const auto text = format_address(address);
                std::ranges::find(addresses, text) == addresses.end())
                addresses.push_back(text);
        }
    return found;
}

}  // namespace guard::launcher
