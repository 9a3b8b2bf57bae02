#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip_address.h"
#include "base/netlink.h"

/// Network interfaces, addresses and routes of the network namespace a socket was opened in. rtnetlink(7)
namespace guard::links {

/// Opens the socket in the caller's network namespace.
[[nodiscard]] Result<netlink::Socket> open_socket();
/// The same in another one: the calling thread enters it and comes back. setns(2)
[[nodiscard]] Result<netlink::Socket> open_socket_in(int netns);

struct Link {
    std::uint32_t index = 0;
    std::uint32_t group = 0;
    std::string kind;  ///< "bridge", "veth"; empty for hardware
};
/// The interface of this name; none where there is none.
[[nodiscard]] Result<std::optional<Link>> find(netlink::Socket& socket, const std::string& name);

/// Whether 127.0.0.0/8 may pass an interface. ip-sysctl "route_localnet"
enum class Localnet : bool { refused, routed };

struct VethPair {
    std::string outer;  ///< here
    std::string inner;  ///< in `netns`
    int netns = -1;
    std::uint32_t group = 0;  ///< of the outer end
};

// Requests, so that several go out in one datagram: netlink::Socket::transact.

[[nodiscard]] netlink::Request make_bridge(const std::string& name, std::uint32_t group);
[[nodiscard]] netlink::Request make_veth(const VethPair& pair);
/// Before an interface is set up: it makes no IPv6 address by itself. The kernel ignores this in the request
/// that makes it.
[[nodiscard]] netlink::Request choose_own_addresses(const std::string& name, Localnet localnet);
[[nodiscard]] netlink::Request set_up(const std::string& name);
[[nodiscard]] netlink::Request remove(const std::string& name);
/// IPv6 addresses are usable at once: guard chose them, so nobody has to be asked whether they are free.
/// With `peer` the kernel also routes that one address to the interface.
[[nodiscard]] netlink::Request add_address(std::uint32_t index, const IpRange& range,
                                           const std::optional<IpAddress>& peer = std::nullopt);
/// A route out of an interface, through `gateway` where one is given; the gateway needs no route of its own.
[[nodiscard]] netlink::Request add_route(std::uint32_t index, const IpRange& to,
                                         const std::optional<IpAddress>& gateway = std::nullopt);

/// What the routing table of this namespace leads to, default routes left out.
[[nodiscard]] Result<std::vector<IpRange>> routed_ranges(netlink::Socket& socket, IpFamily family);
/// Every address of this namespace.
[[nodiscard]] Result<std::vector<IpAddress>> own_addresses(netlink::Socket& socket);

}  // namespace guard::links
