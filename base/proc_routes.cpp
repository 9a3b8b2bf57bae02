#include "base/proc_routes.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/split.h"

namespace guard {
namespace {

// RTF_... of linux/route.h and linux/ipv6_route.h: what the kernel keeps for itself.
constexpr std::uint32_t kReject = 0x200, kAnycast = 0x100000, kLocal = 0x80000000;
constexpr unsigned kLinkLocalLength = 64;

std::unexpected<Error> wrong(std::string_view line) {
    return fail("read the routes", "line " + std::string(line));
}

// The kernel prints the word as it lies in memory, in network order, read as a number of this machine.
std::optional<IpAddress> address4(std::string_view hex) {
    const auto number = number_of<std::uint32_t>(hex, 16);
    if (!number) return std::nullopt;
    IpAddress address;
    std::memcpy(address.bytes.data(), &*number, sizeof *number);
    return address;
}

std::optional<IpAddress> address6(std::string_view hex) {
    IpAddress address{IpFamily::v6, {}};
    if (hex.size() != 2 * address.bytes.size()) return std::nullopt;
    for (std::size_t at = 0; at < address.bytes.size(); ++at) {
        const auto byte = number_of<std::uint8_t>(hex.substr(2 * at, 2), 16);
        if (!byte) return std::nullopt;
        address.bytes.at(at) = *byte;
    }
    return address;
}

std::optional<IpAddress> gateway_of(const IpAddress& address) {
    const bool none = address.bytes == IpAddress{}.bytes;
    return none ? std::nullopt : std::optional(address);
}

bool is_kernels_own(const Route& route, std::uint32_t flags) {
    constexpr std::uint8_t kMulticast = 0xFF, kLinkLocal = 0xFE;
    const auto first = route.to.address.bytes[0];
    return (flags & (kReject | kAnycast | kLocal)) != 0 || first == kMulticast ||
           (first == kLinkLocal && route.to.length == kLinkLocalLength) ||
           (route.to.length == 128 && !route.gateway);  // comes with the address
}

}  // namespace

std::string format_route(const Route& route) {
    auto text = format_address(route.to.address) + "/" + std::to_string(route.to.length);
    if (route.gateway) text += " via " + format_address(*route.gateway);
    return text + " on " + route.interface;
}

Result<std::vector<Route>> parse_routes(std::string_view text) {
    std::vector<Route> routes;
    for (const auto line : lines_of(text)) {
        const auto words = words_of(line);
        if (!words.empty() && words[0] == "Iface") continue;
        if (words.size() < 8) return wrong(line);
        const auto to = address4(words[1]), gateway = address4(words[2]);
        const auto mask = number_of<std::uint32_t>(words[7], 16);
        if (!to || !gateway || !mask) return wrong(line);
        routes.push_back({{*to, static_cast<unsigned>(std::popcount(*mask))},
                          gateway_of(*gateway),
                          std::string(words[0])});
    }
    return routes;
}

Result<std::vector<Route>> parse_ipv6_routes(std::string_view text) {
    std::vector<Route> routes;
    for (const auto line : lines_of(text)) {
        const auto words = words_of(line);
        if (words.size() != 10) return wrong(line);
        const auto to = address6(words[0]), gateway = address6(words[4]);
        const auto length = number_of<unsigned>(words[1], 16);
        const auto flags = number_of<std::uint32_t>(words[8], 16);
        if (!to || !gateway || !length || !flags) return wrong(line);
        const Route route{{*to, *length}, gateway_of(*gateway), std::string(words[9])};
        if (!is_kernels_own(route, *flags)) routes.push_back(route);
    }
    return routes;
}

}  // namespace guard
