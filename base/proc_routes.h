#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ip_address.h"

namespace guard {

/// A route that somebody set, or that an address brought with it: what the kernel keeps for itself (local
/// and link-local addresses, multicast) is left out.
struct Route {
    IpRange to;
    std::optional<IpAddress> gateway;
    std::string interface;
};
/// "0.0.0.0/0 via 10.88.0.1 on eth0".
[[nodiscard]] std::string format_route(const Route& route);

/// /proc/PID/net/route. Fails with the line that is wrong. proc_pid_net(5)
[[nodiscard]] Result<std::vector<Route>> parse_routes(std::string_view text);
/// /proc/PID/net/ipv6_route, which has no headings.
[[nodiscard]] Result<std::vector<Route>> parse_ipv6_routes(std::string_view text);

}  // namespace guard
