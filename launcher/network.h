#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "launcher/network_table.h"
#include "posture/profile.h"
#include "posture/record.h"

namespace guard::launcher {

/// The next hop of a container's IPv6 packets: its side of the bridge has no other address there.
inline constexpr std::string_view kLinkLocalGateway = "fe80::1";

/// Everything about a container's network, computed before anything is made.
struct NetworkPlan {
    NetworkMode mode = NetworkMode::none;
    std::string bridge;
    std::string veth;                ///< the host's end, at most 15 characters, derived from the name
    std::string address4, gateway4;  ///< inside; the gateway is the bridge. Empty without bridge
    unsigned prefix4 = 24;
    std::string address6, gateway6;  ///< empty where ipv6 is off
    unsigned prefix6 = 64;
    std::vector<std::string> nameservers;  ///< for resolv.conf inside; empty where egress has no "dns"
    std::vector<std::string> publish, egress, peers;  ///< of the posture, every part filled in
    std::string name;                                 ///< the container's
    std::vector<Made> will_make;                      ///< for the record, in the order they are made
    std::string bridge4, bridge6;                     ///< the bridge's networks: "10.88.0.0/24"
    std::vector<SetElements> elements;                ///< of guard's nft table; names come by NameLookup
};

/// Addresses are stable over restarts (kept in /var/lib/guard/.state). Fails where the mode can't be had on
/// this host, where a published port is taken (names who listens), where an address or a peer makes no sense.
[[nodiscard]] Result<NetworkPlan> plan_network(const Profile& profile, const std::string& name);

/// Makes bridge, veth, addresses and nft elements; the container's end goes into the network namespace
/// `netns`, whose `lo` is set up in every mode but host. A veth is no port of the bridge: the bridge holds
/// this machine's address in the containers' network, and every packet of a container is routed. So no two
/// containers share a link, whatever br_netfilter is set to, and the rules see each packet once.
[[nodiscard]] Result<void> make_network(const NetworkPlan& plan, int netns);

/// Undoes one thing this file made; what is gone already is fine.
[[nodiscard]] Result<void> undo_network(const Made& made);

}  // namespace guard::launcher
