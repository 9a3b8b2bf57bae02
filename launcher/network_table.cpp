#include "launcher/network_table.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <initializer_list>

#include "base/guard_table.h"
#include "base/special_ranges.h"

namespace guard::launcher {
namespace {

using nft::Expression;
using nft::Family;
using nft::Header;
using nft::In;
using nft::Is;
using nft::Meta;
using nft::Type;
using nft::Verdict;
using Expressions = std::vector<Expression>;

constexpr std::string_view kSpecial = "special", kHome = "home";

/// What differs between the two versions of IP: one row each.
struct FamilyRow {
    Family family;
    IpFamily ip;
    Type address;
    std::string_view ending;  ///< of the sets: "egress4"
    unsigned source, destination;
};
constexpr auto kFamilies = std::to_array<FamilyRow>({
    {Family::ipv4, IpFamily::v4, Type::ipv4, "4", 12, 16},
    {Family::ipv6, IpFamily::v6, Type::ipv6, "6", 8, 24},
});

std::string named(std::string_view set, const FamilyRow& family) {
    return std::string(set) + std::string(family.ending);
}

Expressions joined(std::initializer_list<Expressions> parts) {
    Expressions all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

Expressions group(Meta which, Is how) {
    return {nft::load(which, 0), nft::compare(how, 0, netlink::bytes_of(kInterfaceGroup))};
}
Expressions from_ours() { return group(Meta::iifgroup, Is::equal); }
Expressions from_others() { return group(Meta::iifgroup, Is::different); }
Expressions to_ours() { return group(Meta::oifgroup, Is::equal); }
Expressions to_others() { return group(Meta::oifgroup, Is::different); }
Expressions is_family(const FamilyRow& family) {
    return {nft::load(Meta::nfproto, 0),
            nft::compare(Is::equal, 0, std::string(1, static_cast<char>(family.family)))};
}
Expressions has_state(std::uint32_t states, Is how) {
    return {nft::load(nft::Ct::state, 0), nft::keep_bits(0, states),
            nft::compare(how, 0, netlink::bytes_of(std::uint32_t{0}))};
}
constexpr std::uint32_t kInvalid = 1, kKnown = 2 | 4,
                        kNew = 8;  // NF_CT_STATE_BIT of linux/netfilter/nf_conntrack_common.h
/// Sent to a published port: its destination was changed.
Expressions is_published() {
    return {nft::load(nft::Ct::status, 0), nft::keep_bits(0, IPS_DST_NAT),
            nft::compare(Is::different, 0, netlink::bytes_of(std::uint32_t{0}))};
}
Expressions to_this_machine() {
    return {nft::load_destination_type(0),
            nft::compare(Is::equal, 0, netlink::bytes_of(std::uint32_t{RTN_LOCAL}))};
}
Expressions accept() { return {nft::decide(Verdict::accept)}; }
Expressions drop() { return {nft::decide(Verdict::drop)}; }
Expressions refuse() { return {nft::count(), nft::reject()}; }
Expressions go_to(std::string_view chain) { return {nft::decide(Verdict::go_to, chain)}; }

/// Loads the fields of a key one behind the other.
class Key {
public:
    explicit Key(const FamilyRow& family) : family_(family), all_(is_family(family)) {}
    Key& in_name() { return put(nft::load(Meta::iifname, at_), 4); }
    Key& source() { return put(nft::load(Header::network, family_.source, size(), at_), size() / 4); }
    Key& destination() {
        return put(nft::load(Header::network, family_.destination, size(), at_), size() / 4);
    }
    Key& protocol() { return put(nft::load(Meta::l4proto, at_), 1); }
    Key& port() { return put(nft::load(Header::transport, 2, 2, at_), 1); }
    [[nodiscard]] Expressions in(std::string_view set, In how = In::set) {
        all_.push_back(nft::lookup(named(set, family_), 0, how));
        return std::move(all_);
    }
    [[nodiscard]] Expressions changes_destination(std::string_view map) {
        constexpr unsigned kInto = 8;
        all_.push_back(nft::lookup_value(named(map, family_), 0, kInto));
        all_.push_back(nft::change_destination(family_.family, kInto, kInto + size() / 4));
        return std::move(all_);
    }

private:
    [[nodiscard]] unsigned size() const { return nft::size_of(family_.address); }
    Key& put(Expression expression, unsigned registers) {
        all_.push_back(std::move(expression));
        at_ += registers;
        return *this;
    }
    const FamilyRow& family_;
    Expressions all_;
    unsigned at_ = 0;
};

struct Rule {
    std::string_view chain;
    std::string comment;
    Expressions expressions;
};
using Rules = std::vector<Rule>;

constexpr auto kChains = std::to_array<nft::Chain>({
    {"from_container", "", {}, 0},
    {"to_container", "", {}, 0},
    {"others", "", {}, 0},
    {"spoofed", "filter", nft::Hook::prerouting, -300},
    {"published", "nat", nft::Hook::prerouting, -100},
    {"published_here", "nat", nft::Hook::output, -100},
    {"hidden", "nat", nft::Hook::postrouting, 100},
    {"to_host", "filter", nft::Hook::input, 0},
    {"through", "filter", nft::Hook::forward, 0},
    {"from_host", "filter", nft::Hook::output, 0},
});

std::vector<std::pair<nft::Set, std::string>> table_sets() {
    std::vector<std::pair<nft::Set, std::string>> sets;
    const auto add = [&](std::string name, std::vector<Type> key, std::vector<Type> value, bool ranges,
                         bool timeouts) {
        sets.push_back({{"", std::move(key), std::move(value), ranges, timeouts}, std::move(name)});
    };
    for (const auto& family : kFamilies) {
        const auto ip = family.address;
        add(named("sources", family), {Type::ifname, ip}, {}, false, false);
        add(named("containers", family), {ip}, {}, false, false);
        add(named("self", family), {ip, ip}, {}, false, false);
        add(named("publish", family), {Type::protocol, ip, Type::port}, {ip, Type::port}, true, false);
        add(named("peers", family), {Type::ifname, ip, Type::protocol, Type::port}, {}, true, false);
        add(named("egress", family), {ip, ip, Type::protocol, Type::port}, {}, true, false);
        add(named("named", family), {ip, ip, Type::protocol, Type::port}, {}, true, true);
        for (const auto* scope : {"internet", "lan", "host"})
            add(named(scope, family), {ip, Type::protocol, Type::port}, {}, true, false);
        for (const auto scope : {kSpecial, kHome}) add(named(scope, family), {ip}, {}, true, false);
    }
    add("words", {Type::mark}, {}, false, false);
    add(std::string(kRuleCountSet), {Type::mark}, {}, false, false);
    add(std::string(kForwardingSet), {Type::nfproto}, {Type::verdict}, false, false);
    return sets;
}

Rules rules_of_both() {
    return {
        // route_localnet lets a container address 127.0.0.1 of this machine: nothing of that may arrive.
        {"spoofed", "loopback is this machine's own",
         joined({from_ours(),
                 is_family(kFamilies[0]),
                 {nft::load(Header::network, 16, 1, 0), nft::compare(Is::equal, 0, "\x7f")},
                 drop()})},
        {"through", "between two strangers", joined({from_others(), to_others(), go_to("others")})},
        {"through", "answers, and errors about what is allowed",
         joined({has_state(kKnown, Is::different), accept()})},
        {"through", "belongs to nothing", joined({has_state(kInvalid, Is::different), drop()})},
        {"through", "to a container", joined({to_ours(), go_to("to_container")})},
        {"through", "from a container", go_to("from_container")},
        {"others",
         "dropped where guard turned forwarding on",
         {nft::load(Meta::nfproto, 0), nft::lookup_verdict(kForwardingSet, 0)}},
        {"hidden", "127.0.0.1 is no address that a container could answer",
         joined({to_ours(),
                 is_family(kFamilies[0]),
                 {nft::load(Header::network, 12, 1, 0), nft::compare(Is::equal, 0, "\x7f"),
                  nft::masquerade()}})},
        {"to_host", "not from a container", joined({from_others(), accept()})},
        {"to_host", "answers, and errors about what is allowed",
         joined({has_state(kKnown, Is::different), accept()})},
        {"from_host", "not to a container", joined({to_others(), accept()})},
        {"from_host", "not the first of a connection", joined({has_state(kNew, Is::equal), accept()})},
        {"from_host", "to a published port", joined({is_published(), accept()})},
        {"from_host", "to a port that is not published", refuse()},
    };
}

/// Asked before anything that is said to a host: who has this address? RFC 4861
Rules neighbour_discovery() {
    Rules rules;
    for (const char type : {'\x87', '\x88'})
        rules.push_back({"to_host", "neighbour discovery",
                         joined({is_family(kFamilies[1]),
                                 {nft::load(Meta::l4proto, 0), nft::compare(Is::equal, 0, "\x3a"),
                                  nft::load(Header::transport, 0, 1, 0),
                                  nft::compare(Is::equal, 0, std::string(1, type))},
                                 accept()})});
    return rules;
}

Rules address_rules(const FamilyRow& f) {
    const Expressions hide{nft::masquerade()};
    return {
        {"spoofed", "a source address of somebody else",
         joined({from_ours(), Key(f).in_name().source().in("sources", In::not_set), drop()})},
        {"published", "a published port",
         joined({to_this_machine(), Key(f).protocol().destination().port().changes_destination("publish")})},
        {"published_here", "a published port, from this machine",
         joined({to_this_machine(), Key(f).protocol().destination().port().changes_destination("publish")})},
        {"hidden", "its own published port, from inside",
         joined({to_ours(), is_published(), Key(f).source().destination().in("self"), hide})},
        {"hidden", "the world answers this machine",
         joined({to_others(), Key(f).source().in("containers"), hide})},
        {"to_container", "a peer",
         joined({from_ours(), Key(f).in_name().destination().protocol().port().in("peers"), accept()})},
        {"to_container", "its own published port",
         joined({from_ours(), is_published(), Key(f).source().destination().in("self"), accept()})},
    };
}

Rules egress_rules(const FamilyRow& f, std::string_view chain) {
    Rules rules;
    for (const auto* set : {"egress", "named"})
        rules.push_back({chain, "declared egress",
                         joined({Key(f).source().destination().protocol().port().in(set), accept()})});
    return rules;
}

Rules scope_rules(const FamilyRow& f) {
    return {
        {"from_container", "declared: lan",
         joined({Key(f).destination().in(kHome), Key(f).source().protocol().port().in("lan"), accept()})},
        {"from_container", "declared: internet",
         joined({Key(f).destination().in(kSpecial, In::not_set),
                 Key(f).source().protocol().port().in("internet"), accept()})},
        {"to_host", "declared: host", joined({Key(f).source().protocol().port().in("host"), accept()})},
    };
}

/// In the order of their evaluation.
Rules all_rules() {
    Rules rules = rules_of_both();
    const auto append = [&rules](const Rules& more) { rules.insert(rules.end(), more.begin(), more.end()); };
    append(neighbour_discovery());
    for (const auto& family : kFamilies) {
        append(address_rules(family));
        for (const auto* chain : {"from_container", "to_host"}) append(egress_rules(family, chain));
        append(scope_rules(family));
    }
    append({{"to_container", "a container that is no peer", joined({from_ours(), refuse()})},
            {"to_container", "a published port", joined({is_published(), accept()})},
            {"to_container", "a port that is not published", joined({{nft::count()}, drop()})},
            {"from_container", "not declared", refuse()},
            {"to_host", "not declared", refuse()}});
    return rules;
}

/// A set of ranges with one field holds the first address of each and, marked, the first one behind it.
template <std::size_t N>
std::vector<nft::Element> range_elements(const std::array<std::string_view, N>& ranges, IpFamily family) {
    std::vector<nft::Element> elements;
    for (const auto text : ranges) {
        const auto range = *parse_range(text);
        if (range.address.family != family) continue;
        nft::Element first, behind;
        first.key = range.address.raw();
        behind.key = last_of(range).raw();
        for (auto byte = behind.key.rbegin(); byte != behind.key.rend(); ++byte)
            if (++*byte != 0) break;
        behind.ends_range = true;
        elements.push_back(std::move(first));
        // What reaches to the last address has nothing behind it.
        if (behind.key.find_first_not_of('\0') != std::string::npos) elements.push_back(std::move(behind));
    }
    return elements;
}

}  // namespace

nft::Batch whole_table() {
    nft::Batch batch(kGuardTable);
    batch.add_table();
    for (auto& [set, name] : table_sets()) {
        auto with_name = set;
        with_name.name = name;
        batch.add_set(with_name);
    }
    for (const auto& family : kFamilies) {
        batch.add_elements(named(kSpecial, family), range_elements(kSpecialRanges, family.ip));
        batch.add_elements(named(kHome, family), range_elements(kHomeRanges, family.ip));
    }
    for (const auto& chain : kChains) batch.add_chain(chain);
    const auto rules = all_rules();
    for (const auto& rule : rules) batch.add_rule(rule.chain, rule.expressions, rule.comment);
    nft::Element count;
    count.key = netlink::bytes_of(std::uint32_t{1});
    count.comment = std::to_string(rules.size());
    batch.add_elements(kRuleCountSet, {count});
    return batch;
}

Result<void> ensure_table(netlink::Socket& socket) {
    if (TRY(nft::table_exists(socket, kGuardTable))) return {};
    return whole_table().commit(socket);
}

nft::Element forbidden_forwarding(IpFamily family, const std::string& comment) {
    return nft::dropping(std::string(1, static_cast<char>(family)), comment);
}

Result<void> remove_elements(netlink::Socket& socket, const std::string& name) {
    // An element of a name may end by itself between the reading and the batch, which then fails whole.
    constexpr int kTries = 4;
    for (int attempt = 1;; ++attempt) {
        nft::Batch batch(kGuardTable);
        for (const auto set : kContainerSets) {
            auto elements = nft::elements_of(socket, kGuardTable, set);
            if (!elements && elements.error().code == ENOENT) return {};
            if (!elements) return std::unexpected(elements.error());
            std::erase_if(*elements, [&](const nft::Element& element) {
                return !element.comment.starts_with(name + " ");
            });
            batch.delete_elements(set, *elements);
        }
        const auto done = batch.commit(socket);
        if (done || done.error().code != ENOENT || attempt == kTries) return done;
    }
}

Result<std::set<std::string>> containers_in_table(netlink::Socket& socket) {
    std::set<std::string> names;
    for (const auto& family : kFamilies)
        for (const auto& element : TRY(nft::elements_of(socket, kGuardTable, named("containers", family))))
            if (const auto word = word_of(element.comment)) names.insert(word->container);
    return names;
}

}  // namespace guard::launcher
