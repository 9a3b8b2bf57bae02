#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

#include "base/guard_table.h"
#include "base/special_ranges.h"
#include "launcher/network_table.h"

namespace guard::launcher {
namespace {

constexpr std::size_t kInterfaceName = 16;  // IFNAMSIZ
constexpr std::uint8_t kLastProtocol = 255;

std::string suffix(IpFamily family) { return family == IpFamily::v4 ? "4" : "6"; }
FieldRange exactly(std::string bytes) { return {bytes, bytes}; }
FieldRange field_of(const IpAddress& address) { return exactly(address.raw()); }
FieldRange field_of(const IpRange& range) { return {range.address.raw(), last_of(range).raw()}; }
FieldRange field_of(const PortRange& ports) {
    return {netlink::be16(ports.first), netlink::be16(ports.last)};
}
FieldRange field_of(Protocol protocol) { return exactly(std::string(1, static_cast<char>(protocol))); }
FieldRange interface_field(std::string name) {
    name.resize(kInterfaceName, '\0');
    return exactly(name);
}
IpRange everywhere(IpFamily family) { return {{family, {}}, 0}; }

std::uint32_t number_of_words(const std::string& comment) {
    return static_cast<std::uint32_t>(std::hash<std::string>{}(comment));
}

/// Collects the elements of each set so that none overlaps another, and the words that ended without any.
class Collector {
public:
    /// `value` is what a map holds; two boxes that overlap must agree on it.
    [[nodiscard]] bool put(const std::string& set, const KeyBox& box, const std::string& comment,
                           const std::string& value = "") {
        auto& taken = taken_[set];
        const auto& elements = elements_[set];
        for (std::size_t i = 0; i < taken.size(); ++i)
            if (overlap(taken[i], box) && elements[i].value != value) return false;
        for (auto& piece : uncovered(box, taken)) {
            auto element = element_of(piece, comment);
            element.value = value;
            elements_[set].push_back(std::move(element));
            taken.push_back(std::move(piece));
            words_[comment] = true;
        }
        words_.try_emplace(comment, false);
        return true;
    }
    /// Without ranges: a key as it stands.
    void put_key(const std::string& set, std::string key, const std::string& comment) {
        nft::Element element;
        element.key = std::move(key);
        element.comment = comment;
        elements_[set].push_back(std::move(element));
    }
    void only_word(const std::string& comment) { words_.try_emplace(comment, false); }

    [[nodiscard]] std::vector<SetElements> take() {
        for (const auto& [comment, stands] : words_)
            if (!stands) put_key("words", netlink::bytes_of(number_of_words(comment)), comment);
        std::vector<SetElements> all;
        for (auto& [set, elements] : elements_)
            if (!elements.empty()) all.push_back({set, std::move(elements)});
        return all;
    }

private:
    std::map<std::string, std::vector<nft::Element>> elements_;
    std::map<std::string, std::vector<KeyBox>> taken_;
    std::map<std::string, bool> words_;  ///< comment -> some element carries it
};

Result<std::string> comment_for(const ContainerReach& reach, std::string_view kind, const std::string& word) {
    auto comment = comment_of({reach.name, std::string(kind), word});
    if (comment.size() > nft::kLongestComment)
        return fail(fmt::format("write down {} \"{}\" of {}", kind, word, reach.name), "it is too long",
                    "use an address or a shorter name");
    return comment;
}

/// Without ::1: what comes from there leaves by no other interface, so that a connection to a container would
/// hang where a program that is refused goes on to 127.0.0.1. IPv6 has no route_localnet.
constexpr auto kEveryDestination =
    std::to_array<std::string_view>({"0.0.0.0/0", "2000::/3", "fc00::/7", "fe80::/10"});

/// The destination addresses of this machine that a WHERE means.
std::vector<IpRange> ranges_of(const PublishWord& word, IpFamily family) {
    std::vector<IpRange> ranges;
    const auto add = [&](std::string_view text) {
        const auto range = *parse_range(text);
        if (range.address.family == family) ranges.push_back(range);
    };
    switch (word.at) {
        case PublishWord::At::address: add(format_address(word.address)); break;
        case PublishWord::At::any: std::ranges::for_each(kEveryDestination, add); break;
        case PublishWord::At::lan: std::ranges::for_each(kHomeRanges, add); [[fallthrough]];
        case PublishWord::At::localhost: add("127.0.0.0/8");
    }
    return ranges;
}

Result<void> add_publish(Collector& to, const ContainerReach& reach, const std::string& text) {
    const auto word = TRY(parse_publish(text));
    const auto comment = TRY(comment_for(reach, "publish", text));
    to.only_word(comment);
    constexpr unsigned kMostPorts = 256;
    const unsigned count = word.outer.last - word.outer.first + 1U;
    if (count > kMostPorts)
        return fail("publish " + text, fmt::format("at most {} ports in one line", kMostPorts));
    for (const auto& inside : reach.addresses)
        for (const auto& range : ranges_of(word, inside.family))
            for (unsigned i = 0; i < count; ++i) {
                const auto outer = static_cast<std::uint16_t>(word.outer.first + i);
                const auto value =
                    inside.raw() +
                    nft::field(netlink::be16(static_cast<std::uint16_t>(word.inner.first + i)));
                const KeyBox key{field_of(word.protocol), field_of(range), field_of(PortRange{outer, outer})};
                if (!to.put("publish" + suffix(inside.family), key, comment, value))
                    return fail("publish " + text,
                                fmt::format("port {} is published to another port already", outer));
            }
    return {};
}

/// The protocols of a word: both where only a port is given, everything where nothing is.
std::vector<FieldRange> protocols_of(const EgressWord& word) {
    if (word.protocol != Protocol::any) return {field_of(word.protocol)};
    if (word.ports) return {field_of(Protocol::tcp), field_of(Protocol::udp)};
    return {{std::string(1, '\0'), std::string(1, static_cast<char>(kLastProtocol))}};
}

/// Where a word leads besides names: the set, and the destination where that set asks for one.
struct Target {
    std::string set;
    std::vector<IpRange> destinations;  ///< empty: the set has no such field
};
Target target_of(const EgressWord& word, IpFamily family) {
    switch (word.to) {
        case EgressWord::To::internet: return {"internet" + suffix(family), {}};
        case EgressWord::To::lan: return {"lan" + suffix(family), {}};
        case EgressWord::To::host: return {"host" + suffix(family), {}};
        case EgressWord::To::any: return {"egress" + suffix(family), {everywhere(family)}};
        case EgressWord::To::range:
            if (word.range.address.family == family) return {"egress" + suffix(family), {word.range}};
            break;
        case EgressWord::To::name:
        case EgressWord::To::dns: break;
    }
    return {};
}

void add_egress_to(Collector& to, const IpAddress& own, const Target& target, const EgressWord& word,
                   const std::string& comment) {
    if (target.set.empty()) return;
    const auto ports = field_of(word.ports.value_or(PortRange{}));
    for (const auto& protocol : protocols_of(word)) {
        if (target.destinations.empty())
            static_cast<void>(to.put(target.set, {field_of(own), protocol, ports}, comment));
        for (const auto& destination : target.destinations)
            static_cast<void>(
                to.put(target.set, {field_of(own), field_of(destination), protocol, ports}, comment));
    }
}

void add_dns(Collector& to, const ContainerReach& reach, const std::string& comment) {
    EgressWord word;
    word.ports = PortRange{53, 53};
    for (const auto& own : reach.addresses)
        for (const auto& server : reach.nameservers)
            if (server.family == own.family)
                add_egress_to(
                    to, own,
                    {"egress" + suffix(own.family), {{server, static_cast<unsigned>(server.size() * 8)}}},
                    word, comment);
}

Result<void> add_egress(Collector& to, const ContainerReach& reach, const std::string& text) {
    const auto word = TRY(parse_egress(text));
    const auto comment = TRY(comment_for(reach, "egress", text));
    to.only_word(comment);
    if (word.to == EgressWord::To::dns) add_dns(to, reach, comment);
    for (const auto& own : reach.addresses)
        add_egress_to(to, own, target_of(word, own.family), word, comment);
    return {};
}

Result<void> add_peer(Collector& to, const ContainerReach& reach, const std::string& text) {
    const auto word = TRY(parse_peer(text));
    const auto comment = TRY(comment_for(reach, "peers", text));
    for (const auto& own : reach.addresses)
        static_cast<void>(to.put("peers" + suffix(own.family),
                                 {interface_field(veth_name(word.container)), field_of(own),
                                  field_of(word.protocol), field_of(word.ports)},
                                 comment));
    return {};
}

void add_addresses(Collector& to, const ContainerReach& reach) {
    for (const auto& own : reach.addresses) {
        const auto comment = comment_of({reach.name, "address", format_address(own)});
        to.put_key("sources" + suffix(own.family), interface_field(reach.veth).first + own.raw(), comment);
        to.put_key("containers" + suffix(own.family), own.raw(), comment);
        to.put_key("self" + suffix(own.family), own.raw() + own.raw(), comment);
    }
}

}  // namespace

std::string veth_name(const std::string& container) {
    constexpr std::size_t kRoom = 12;
    if (container.size() <= kRoom) return "gv-" + container;
    // FNV-1a: the same in every build, since the name outlives the program that chose it.
    std::uint32_t hash = 2166136261U;
    for (const char c : container) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return fmt::format("gh-{}{:08x}", container.substr(0, kRoom - 8), hash);
}

nft::Element element_of(const KeyBox& box, const std::string& comment) {
    nft::Element element;
    for (const auto& side : box) {
        element.key += nft::field(side.first);
        element.key_end += nft::field(side.last);
    }
    element.comment = comment;
    return element;
}

Result<std::vector<SetElements>> elements_for(const ContainerReach& reach) {
    Collector collector;
    add_addresses(collector, reach);
    for (const auto& word : reach.publish) CHECK(add_publish(collector, reach, word));
    for (const auto& word : reach.egress) CHECK(add_egress(collector, reach, word));
    for (const auto& word : reach.peers) CHECK(add_peer(collector, reach, word));
    return collector.take();
}

std::vector<SetElements> elements_for_names(const std::string& name, const std::vector<IpAddress>& own,
                                            const std::vector<NamedAddress>& found) {
    Collector collector;
    std::map<IpAddress, std::chrono::milliseconds> longest;
    for (const auto& one : found) longest[one.address] = std::max(longest[one.address], one.timeout);
    for (const auto& one : found)
        for (const auto& from : own)
            if (from.family == one.address.family)
                add_egress_to(collector, from,
                              {"named" + suffix(from.family),
                               {{one.address, static_cast<unsigned>(one.address.size() * 8)}}},
                              one.word, comment_of({name, "egress", one.text}));
    auto all = collector.take();
    std::erase_if(all, [](const SetElements& set) { return set.set == "words"; });
    for (auto& set : all)
        for (auto& element : set.elements) {
            const auto size = set.set == "named4" ? 4U : 16U;
            IpAddress to{set.set == "named4" ? IpFamily::v4 : IpFamily::v6, {}};
            std::copy_n(element.key.begin() + size, size, to.bytes.begin());
            element.timeout = longest[to];
        }
    return all;
}

Result<std::vector<PublishConflict>> publish_conflicts(netlink::Socket& socket, const std::string& name,
                                                       const std::vector<SetElements>& elements) {
    const auto box_of = [](const nft::Element& element, std::size_t address) -> KeyBox {
        const auto& last = element.key_end.empty() ? element.key : element.key_end;
        const auto part = [&](std::size_t from, std::size_t size) {
            return FieldRange{element.key.substr(from, size), last.substr(from, size)};
        };
        return {part(0, 4), part(4, address), part(4 + address, 2)};
    };
    std::vector<PublishConflict> conflicts;
    for (const auto& set : elements) {
        if (!set.set.starts_with("publish")) continue;
        const auto there = nft::elements_of(socket, kGuardTable, set.set);
        if (!there && there.error().code == ENOENT) continue;
        if (!there) return std::unexpected(there.error());
        const std::size_t address = set.set.ends_with("4") ? 4 : 16;
        for (const auto& taken : *there) {
            const auto holder = word_of(taken.comment);
            if (!holder || holder->container == name) continue;
            for (const auto& wanted : set.elements)
                if (overlap(box_of(taken, address), box_of(wanted, address)))
                    conflicts.push_back({holder->container, holder->word, word_of(wanted.comment)->word});
        }
    }
    return conflicts;
}

}  // namespace guard::launcher
