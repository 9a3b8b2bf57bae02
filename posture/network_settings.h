#pragma once
#include <array>
#include <string_view>

namespace guard {

/// One setting of a network namespace that decides what it lets through, and the value it is launched with: a
/// new namespace has the host's value for some of them. ip-sysctl of the kernel's documentation
struct NetworkSettingRow {
    std::string_view name;  ///< as sysctl(8) writes it
    const char* file;
    std::string_view value;  ///< at launch
};
inline constexpr auto kNetworkSettings = std::to_array<NetworkSettingRow>({
    {"net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward", "0"},
    {"net.ipv4.conf.all.route_localnet", "/proc/sys/net/ipv4/conf/all/route_localnet", "0"},
    {"net.ipv4.ip_unprivileged_port_start", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "1024"},
    {"net.ipv6.conf.all.forwarding", "/proc/sys/net/ipv6/conf/all/forwarding", "0"},
});

}  // namespace guard
