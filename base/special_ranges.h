#pragma once
#include <array>
#include <string_view>

namespace guard {

/// Everything that "internet" does not mean, sorted and without overlap within a family: this network, home
/// and carrier networks, loopback, link-local, protocol assignments, documentation, benchmarks, multicast,
/// reserved. NAT64 (in ::/8) and 6to4 stand in for IPv4 addresses, private ones too, so they are out as well.
/// RFC 6890
inline constexpr auto kSpecialRanges = std::to_array<std::string_view>({
    "0.0.0.0/8",      "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",   "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/3",  "::/8",           "100::/64",       "2001::/23",      "2001:db8::/32",
    "2002::/16",      "fc00::/7",     "fe80::/9",       "ff00::/8",
});

/// What `lan` means: the networks a home can have.
inline constexpr auto kHomeRanges = std::to_array<std::string_view>({
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "fe80::/10",
});

}  // namespace guard
