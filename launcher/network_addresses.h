#pragma once
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ip_address.h"
#include "base/unique_fd.h"

namespace guard::launcher {

/// Where a container stands: its addresses, and those of this machine on its bridge. Version 6 is left out
/// where it is off.
struct ContainerAddresses {
    IpAddress own4, gateway4;
    IpRange bridge4;
    std::optional<IpAddress> own6, gateway6;
    IpRange bridge6;
};

enum class Ipv6 : bool { off, on };

/// Held while addresses are given, and while what containers share (table, bridge, forwarding) is made or
/// undone: two launches at once take turns.
[[nodiscard]] Result<UniqueFd> lock_network();

/// The addresses of a container: `wanted` where the profile names some, else what it had before, else the
/// first that no container has. Kept in /var/lib/guard/.state/addresses, replaced in one step. A new bridge
/// takes the first network of 10.88.0.0/13 that this machine has no route to. Call with the lock held.
[[nodiscard]] Result<ContainerAddresses> addresses_for(const std::string& name, const std::string& bridge,
                                                       const std::vector<std::string>& wanted, Ipv6 ipv6);

}  // namespace guard::launcher
