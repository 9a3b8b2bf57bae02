#pragma once
#include "base/error.h"
#include "base/ip_address.h"
#include "base/netlink.h"

/// Where this machine forwards nothing, guard turns forwarding on for its containers, lets nobody else use it
/// (network_table.h, the map `others`), and turns it off with the last of them. ip-sysctl
namespace guard::launcher {

/// Call with the network's lock held and the table made.
[[nodiscard]] Result<void> ensure_forwarding(netlink::Socket& nft_socket, IpFamily family);
/// Does nothing where a container is left or guard did not turn it on.
[[nodiscard]] Result<void> end_forwarding(netlink::Socket& nft_socket, IpFamily family);

}  // namespace guard::launcher
