#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/ip_address.h"

/// The words of a posture's network as values, to make nft elements of. Pure.
namespace guard::launcher {

struct PortRange {
    std::uint16_t first = 0, last = 65535;
    auto operator<=>(const PortRange&) const = default;
};
/// The number is the protocol's in an IP header; any: both, and those without ports.
enum class Protocol : std::uint8_t { any = 0, tcp = 6, udp = 17 };

/// "[WHERE:][HOSTPORT:]PORT[/tcp|udp]"; tcp where nothing is said.
struct PublishWord {
    enum class At : std::uint8_t { localhost, lan, any, address } at = At::localhost;
    IpAddress address;       ///< At::address
    PortRange outer, inner;  ///< equally long
    Protocol protocol = Protocol::tcp;
    bool operator==(const PublishWord&) const = default;
};
/// Fails with what is wrong, in the words of a profile.
[[nodiscard]] Result<PublishWord> parse_publish(std::string_view word);
/// With every part filled in: "lan:25565:25565/tcp".
[[nodiscard]] std::string format_publish(const PublishWord& word);

/// "TARGET[:PORT][/tcp|udp]"; both and ICMP where nothing is said, both where only a port is.
struct EgressWord {
    enum class To : std::uint8_t { dns, internet, lan, host, any, name, range } to = To::dns;
    std::string name;  ///< To::name
    IpRange range;     ///< To::range; an address is a range of one
    std::optional<PortRange> ports;
    Protocol protocol = Protocol::any;
    bool operator==(const EgressWord&) const = default;
};
[[nodiscard]] Result<EgressWord> parse_egress(std::string_view word);

/// "CONTAINER:PORT[/tcp|udp]": who may connect, and where to.
struct PeerWord {
    std::string container;
    PortRange ports;
    Protocol protocol = Protocol::tcp;
    bool operator==(const PeerWord&) const = default;
};
[[nodiscard]] Result<PeerWord> parse_peer(std::string_view word);

}  // namespace guard::launcher
