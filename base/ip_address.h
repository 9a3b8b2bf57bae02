#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace guard {

/// The number is the kernel's nfproto, too.
enum class IpFamily : std::uint8_t { v4 = 2, v6 = 10 };

/// An IPv4 or IPv6 address. `bytes` are in network order; IPv4 uses the first four.
struct IpAddress {
    IpFamily family = IpFamily::v4;
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const IpAddress&) const = default;

    [[nodiscard]] std::size_t size() const { return family == IpFamily::v4 ? 4 : 16; }
    /// The bytes as the kernel's sets hold them.
    [[nodiscard]] std::string raw() const { return {reinterpret_cast<const char*>(bytes.data()), size()}; }
};

/// "10.88.0.7", "fd00:88::7"; nothing else: no name, no zone, no port. inet_pton(3)
[[nodiscard]] std::optional<IpAddress> parse_address(std::string_view text);
[[nodiscard]] std::string format_address(const IpAddress& address);

/// Addresses that share the first `length` bits; an address alone is a range of one.
struct IpRange {
    IpAddress address;    ///< the lowest
    unsigned length = 0;  ///< 0-32 or 0-128
    auto operator<=>(const IpRange&) const = default;
};
/// "192.168.0.0/16", "fd00::/8" or a single address. Nothing where the length is too large or bits behind it
/// are set: "192.168.1.7/16" is one address or a whole network, and guard does not guess.
[[nodiscard]] std::optional<IpRange> parse_range(std::string_view text);
[[nodiscard]] std::string format_range(const IpRange& range);
[[nodiscard]] IpAddress last_of(const IpRange& range);
[[nodiscard]] bool contains(const IpRange& range, const IpAddress& address);
[[nodiscard]] bool overlap(const IpRange& one, const IpRange& other);

/// Neither of the internet nor multicast: home networks, loopback, link-local, carrier NAT, documentation
/// and what is reserved. RFC 6890
[[nodiscard]] bool is_private(const IpAddress& address);
[[nodiscard]] bool is_loopback(const IpAddress& address);

}  // namespace guard
