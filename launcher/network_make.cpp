#include <fmt/format.h>

#include <array>
#include <cerrno>

#include "base/guard_table.h"
#include "base/links.h"
#include "launcher/network.h"
#include "launcher/network_addresses.h"
#include "launcher/network_forwarding.h"
#include "launcher/network_table.h"

namespace guard::launcher {
namespace {

constexpr std::string_view kInner = "eth0";

IpAddress address(const std::string& text) { return *parse_address(text); }
IpRange alone(const IpAddress& one) { return {one, static_cast<unsigned>(one.size() * 8)}; }
IpRange everywhere(IpFamily family) { return {{family, {}}, 0}; }
/// The outer end's own, so that neighbour discovery has somebody to ask from.
const IpRange& link_local() {
    static const IpRange range{address(std::string(kLinkLocalGateway)), 64};
    return range;
}

/// Each alone, for what is there already is fine.
Result<void> make_each(netlink::Socket& socket, const std::vector<netlink::Request>& requests) {
    for (const auto& request : requests)
        if (const auto made = socket.transact(request); !made && made.error().code != EEXIST) return made;
    return {};
}

Result<void> ensure_bridge(netlink::Socket& socket, const NetworkPlan& plan) {
    auto bridge = TRY(links::find(socket, plan.bridge));
    if (!bridge) {
        const std::vector<netlink::Request> requests{
            links::make_bridge(plan.bridge, kInterfaceGroup),
            links::choose_own_addresses(plan.bridge, links::Localnet::refused), links::set_up(plan.bridge)};
        CHECK(socket.transact(requests));
        bridge = TRY(links::find(socket, plan.bridge));
    }
    if (!bridge || bridge->kind != "bridge" || bridge->group != kInterfaceGroup)
        return fail("use " + plan.bridge + " as the containers' bridge",
                    "an interface of that name is there already, and not made by guard",
                    "choose another name: --set network.bridge=guard1");
    std::vector<netlink::Request> requests{
        links::add_address(bridge->index, {address(plan.gateway4), plan.prefix4})};
    if (!plan.address6.empty())
        requests.push_back(links::add_address(bridge->index, {address(plan.gateway6), plan.prefix6}));
    return make_each(socket, requests);
}

/// The outer end: this machine's address, and one route to the one address behind it.
Result<void> make_outer_end(netlink::Socket& socket, const NetworkPlan& plan, int netns) {
    const links::VethPair pair{plan.veth, std::string(kInner), netns, kInterfaceGroup};
    auto made = socket.transact(links::make_veth(pair));
    if (!made && made.error().code == EEXIST) {  // of a launch that was killed: the name is ours now
        CHECK(socket.transact(links::remove(plan.veth)));
        made = socket.transact(links::make_veth(pair));
    }
    if (!made) return made;
    const auto link = TRY(links::find(socket, plan.veth));
    if (!link) return fail("find interface " + plan.veth, "it is gone as soon as it was made");
    std::vector<netlink::Request> requests{
        links::choose_own_addresses(plan.veth, links::Localnet::routed), links::set_up(plan.veth),
        links::add_address(link->index, alone(address(plan.gateway4)), address(plan.address4))};
    if (!plan.address6.empty()) {
        requests.push_back(links::add_address(link->index, link_local()));
        requests.push_back(links::add_route(link->index, alone(address(plan.address6))));
    }
    return socket.transact(requests);
}

Result<void> make_inner_end(netlink::Socket& socket, const NetworkPlan& plan) {
    const auto link = TRY(links::find(socket, std::string(kInner)));
    if (!link) return fail("find the container's eth0", "it is not in its network");
    std::vector<netlink::Request> requests{
        links::set_up("lo"),
        links::choose_own_addresses(std::string(kInner), links::Localnet::refused),
        links::set_up(std::string(kInner)),
        links::add_address(link->index, alone(address(plan.address4))),
        links::add_route(link->index, everywhere(IpFamily::v4), address(plan.gateway4)),
    };
    if (!plan.address6.empty()) {
        requests.push_back(links::add_address(link->index, alone(address(plan.address6))));
        requests.push_back(links::add_route(link->index, everywhere(IpFamily::v6), link_local().address));
    }
    return socket.transact(requests);
}

Result<void> add_elements(netlink::Socket& socket, const NetworkPlan& plan) {
    nft::Batch batch(kGuardTable);
    for (const auto& set : plan.elements) batch.add_elements(set.set, set.elements);
    auto added = batch.commit(socket);
    if (added || added.error().code != EEXIST) return added;
    // Left by a launch that was killed, else somebody took a port since it was planned.
    CHECK(remove_elements(socket, plan.name));
    return batch.commit(socket);
}

Result<void> make_bridged(const NetworkPlan& plan, int netns) {
    auto outside = TRY(links::open_socket());
    auto inside = TRY(links::open_socket_in(netns));
    auto table = TRY(nft::open_socket());
    const auto lock = TRY(lock_network());
    CHECK(ensure_table(table));
    CHECK(ensure_forwarding(table, IpFamily::v4));
    if (!plan.address6.empty()) CHECK(ensure_forwarding(table, IpFamily::v6));
    CHECK(ensure_bridge(outside, plan));
    CHECK(make_outer_end(outside, plan, netns));
    CHECK(make_inner_end(inside, plan));
    // The outer end was up before its peer: until the kernel has heard of its carrier it drops what it is
    // given. Asking for the link makes it hear at once (from 6.9); else the first packet may wait for a
    // second one.
    static_cast<void>(links::find(outside, plan.veth));
    return add_elements(table, plan);
}

Result<void> undo_bridge(const Made& made) {
    auto table = TRY(nft::open_socket());
    const auto range = parse_range(made.detail);
    for (const auto* set : {"containers4", "containers6"}) {
        const auto elements = nft::elements_of(table, kGuardTable, set);
        if (!elements && elements.error().code != ENOENT) return std::unexpected(elements.error());
        for (const auto& element : elements.value_or(std::vector<nft::Element>{})) {
            const auto word = word_of(element.comment);
            const auto own = word ? parse_address(word->word) : std::nullopt;
            if (own && range && contains(*range, *own)) return {};  // still in use
        }
    }
    auto socket = TRY(links::open_socket());
    const auto link = TRY(links::find(socket, made.what));
    if (!link || link->group != kInterfaceGroup) return {};
    return socket.transact(links::remove(made.what));
}

Result<void> undo_veth(const Made& made) {
    auto socket = TRY(links::open_socket());
    const auto link = TRY(links::find(socket, made.what));
    if (!link || link->group != kInterfaceGroup) return {};
    const auto removed = socket.transact(links::remove(made.what));
    // It goes with its network namespace, which may have ended in between.
    if (!removed && removed.error().code == ENODEV) return {};
    return removed;
}

Result<void> undo_elements(const Made& made) {
    auto socket = TRY(nft::open_socket());
    return remove_elements(socket, made.what);
}

Result<void> undo_forwarding(const Made& made) {
    auto socket = TRY(nft::open_socket());
    return end_forwarding(socket, made.what.starts_with("net.ipv6") ? IpFamily::v6 : IpFamily::v4);
}

struct UndoRow {
    Made::Kind kind;
    Result<void> (*undo)(const Made&);
};
constexpr auto kUndo = std::to_array<UndoRow>({
    {Made::Kind::nft_element, undo_elements},
    {Made::Kind::veth, undo_veth},
    {Made::Kind::bridge, undo_bridge},
    {Made::Kind::forwarding, undo_forwarding},
});

}  // namespace

Result<void> make_network(const NetworkPlan& plan, int netns) {
    if (plan.mode == NetworkMode::bridge) return make_bridged(plan, netns);
    if (plan.mode == NetworkMode::host) return {};
    auto inside = TRY(links::open_socket_in(netns));
    return inside.transact(links::set_up("lo"));
}

Result<void> undo_network(const Made& made) {
    for (const auto& row : kUndo) {
        if (row.kind != made.kind) continue;
        const auto lock = TRY(lock_network());
        return row.undo(made);
    }
    return fail("undo " + made.what, "it is not of the network");
}

}  // namespace guard::launcher
