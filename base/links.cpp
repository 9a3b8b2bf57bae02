#include "base/links.h"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace guard::links {
namespace {

using netlink::attribute;
using netlink::bytes_of;
using netlink::nest;
using netlink::text;

constexpr std::uint16_t kMake = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;

std::string number(std::uint16_t type, std::uint32_t value) { return attribute(type, bytes_of(value)); }

std::string link_header(std::uint32_t index, std::uint32_t flags) {
    ifinfomsg header{};
    header.ifi_index = static_cast<int>(index);
    header.ifi_flags = header.ifi_change = flags;
    return bytes_of(header);
}

/// What a new interface is told: no IPv6 address that guard did not choose, 127.0.0.0/8 only where asked.
std::string address_families(Localnet localnet) {
    std::string families =
        nest(AF_INET6,
             attribute(IFLA_INET6_ADDR_GEN_MODE, std::string(1, static_cast<char>(IN6_ADDR_GEN_MODE_NONE))));
    if (localnet == Localnet::routed)
        families += nest(AF_INET, nest(IFLA_INET_CONF, number(IPV4_DEVCONF_ROUTE_LOCALNET, 1)));
    return nest(IFLA_AF_SPEC, families);
}

std::string kind(std::string_view name, const std::string& data = "") {
    return nest(IFLA_LINKINFO,
                attribute(IFLA_INFO_KIND, name) + (data.empty() ? "" : nest(IFLA_INFO_DATA, data)));
}

std::uint8_t family_of(IpFamily family) { return family == IpFamily::v4 ? AF_INET : AF_INET6; }

template <class Header>
Header head_of(const netlink::Answer& answer) {
    Header header{};
    std::memcpy(&header, answer.payload.data(), std::min(sizeof header, answer.payload.size()));
    return header;
}
template <class Header>
std::string_view attributes_of(const netlink::Answer& answer) {
    constexpr auto size = NLMSG_ALIGN(sizeof(Header));
    return std::string_view(answer.payload).substr(std::min<std::size_t>(size, answer.payload.size()));
}

IpAddress address_from(IpFamily family, std::string_view raw) {
    IpAddress address{family, {}};
    std::memcpy(address.bytes.data(), raw.data(), std::min(raw.size(), address.size()));
    return address;
}

}  // namespace

Result<netlink::Socket> open_socket() { return netlink::Socket::open(NETLINK_ROUTE); }

Result<netlink::Socket> open_socket_in(int netns) { return netlink::open_in(netns, NETLINK_ROUTE); }

Result<std::optional<Link>> find(netlink::Socket& socket, const std::string& name) {
    const auto answers = socket.ask({RTM_GETLINK, 0, link_header(0, 0) + attribute(IFLA_IFNAME, text(name)),
                                     "look for interface " + name});
    if (!answers && answers.error().code == ENODEV) return std::nullopt;
    if (!answers) return std::unexpected(answers.error());
    if (answers->empty()) return fail("look for interface " + name, "the kernel did not answer");
    const auto& answer = answers->front();
    Link link{static_cast<std::uint32_t>(head_of<ifinfomsg>(answer).ifi_index), 0, ""};
    const auto attributes = attributes_of<ifinfomsg>(answer);
    if (const auto group = netlink::find(attributes, IFLA_GROUP); group.size() == sizeof link.group)
        std::memcpy(&link.group, group.data(), sizeof link.group);
    const auto kind_name = netlink::find(netlink::find(attributes, IFLA_LINKINFO), IFLA_INFO_KIND);
    link.kind = kind_name.substr(0, kind_name.find('\0'));
    return link;
}

netlink::Request make_bridge(const std::string& name, std::uint32_t group) {
    return {
        RTM_NEWLINK, kMake,
        link_header(0, 0) + attribute(IFLA_IFNAME, text(name)) + number(IFLA_GROUP, group) + kind("bridge"),
        "make bridge " + name};
}

netlink::Request make_veth(const VethPair& pair) {
    const auto inner = link_header(0, 0) + attribute(IFLA_IFNAME, text(pair.inner)) +
                       number(IFLA_NET_NS_FD, static_cast<std::uint32_t>(pair.netns));
    return {RTM_NEWLINK, kMake,
            link_header(0, 0) + attribute(IFLA_IFNAME, text(pair.outer)) + number(IFLA_GROUP, pair.group) +
                kind("veth", nest(VETH_INFO_PEER, inner)),
            "make the network interfaces " + pair.outer + " and " + pair.inner};
}

netlink::Request choose_own_addresses(const std::string& name, Localnet localnet) {
    return {RTM_NEWLINK, NLM_F_ACK,
            link_header(0, 0) + attribute(IFLA_IFNAME, text(name)) + address_families(localnet),
            "prepare interface " + name};
}

netlink::Request set_up(const std::string& name) {
    return {RTM_NEWLINK, NLM_F_ACK, link_header(0, IFF_UP) + attribute(IFLA_IFNAME, text(name)),
            "set interface " + name + " up"};
}

netlink::Request remove(const std::string& name) {
    return {RTM_DELLINK, NLM_F_ACK, link_header(0, 0) + attribute(IFLA_IFNAME, text(name)),
            "remove interface " + name};
}

netlink::Request add_address(std::uint32_t index, const IpRange& range,
                             const std::optional<IpAddress>& peer) {
    ifaddrmsg header{};
    header.ifa_family = family_of(range.address.family);
    header.ifa_prefixlen = static_cast<std::uint8_t>(range.length);
    header.ifa_index = index;
    if (range.address.family == IpFamily::v6) header.ifa_flags = IFA_F_NODAD;
    return {RTM_NEWADDR, kMake,
            bytes_of(header) + attribute(IFA_LOCAL, range.address.raw()) +
                attribute(IFA_ADDRESS, peer.value_or(range.address).raw()),
            "give an interface the address " + format_range(range)};
}

netlink::Request add_route(std::uint32_t index, const IpRange& to, const std::optional<IpAddress>& gateway) {
    rtmsg header{};
    header.rtm_family = family_of(to.address.family);
    header.rtm_dst_len = static_cast<std::uint8_t>(to.length);
    header.rtm_table = RT_TABLE_MAIN;
    header.rtm_protocol = RTPROT_BOOT;
    header.rtm_scope = gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    header.rtm_type = RTN_UNICAST;
    auto attributes = number(RTA_OIF, index);
    if (to.length > 0) attributes += attribute(RTA_DST, to.address.raw());
    if (gateway) {
        header.rtm_flags = RTNH_F_ONLINK;
        attributes += attribute(RTA_GATEWAY, gateway->raw());
    }
    return {RTM_NEWROUTE, kMake, bytes_of(header) + attributes, "add a route to " + format_range(to)};
}

Result<std::vector<IpRange>> routed_ranges(netlink::Socket& socket, IpFamily family) {
    rtmsg header{};
    header.rtm_family = family_of(family);
    const auto answers = TRY(socket.ask({RTM_GETROUTE, NLM_F_DUMP, bytes_of(header), "read the routes"}));
    std::vector<IpRange> ranges;
    for (const auto& answer : answers) {
        const auto route = head_of<rtmsg>(answer);
        if (route.rtm_dst_len == 0 || route.rtm_type != RTN_UNICAST) continue;
        const auto to = netlink::find(attributes_of<rtmsg>(answer), RTA_DST);
        ranges.push_back({address_from(family, to), route.rtm_dst_len});
    }
    return ranges;
}

Result<std::vector<IpAddress>> own_addresses(netlink::Socket& socket) {
    const auto answers =
        TRY(socket.ask({RTM_GETADDR, NLM_F_DUMP, bytes_of(ifaddrmsg{}), "read the addresses"}));
    std::vector<IpAddress> addresses;
    for (const auto& answer : answers) {
        const auto header = head_of<ifaddrmsg>(answer);
        if (header.ifa_family != AF_INET && header.ifa_family != AF_INET6) continue;
        const auto attributes = attributes_of<ifaddrmsg>(answer);
        auto raw = netlink::find(attributes, IFA_LOCAL);
        if (raw.empty()) raw = netlink::find(attributes, IFA_ADDRESS);
        addresses.push_back(address_from(header.ifa_family == AF_INET ? IpFamily::v4 : IpFamily::v6, raw));
    }
    return addresses;
}

}  // namespace guard::links
