#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

/// The words of [network]: what a line of publish, listen, egress or peers means, with every part filled in.
namespace guard::policies {

struct PortRange {
    std::uint16_t first = 0, last = 0;
    bool operator==(const PortRange&) const = default;
};
/// "25565" or "8000-8009", strictly decimal, 1 to 65535.
[[nodiscard]] std::optional<PortRange> parse_ports(std::string_view text);
[[nodiscard]] std::string format_ports(const PortRange& ports);

/// One line of `publish`: WHERE:OUTER:INNER/PROTOCOL.
struct Published {
    std::string where;  ///< localhost, lan, any, "192.168.1.20" or "[fd00::7]"
    PortRange outer, inner;
    std::string protocol;  ///< tcp, udp
};
/// `[WHERE:][HOSTPORT:]PORT[/tcp|udp]`. Fails with `attempt` = the text, a reason and a fix, as do all here.
[[nodiscard]] Result<Published> parse_publish(std::string_view text);
/// "lan:25565:25565/tcp"
[[nodiscard]] std::string format_publish(const Published& published);

/// "5432" -> "5432/tcp"
[[nodiscard]] Result<std::string> parse_listen(std::string_view text);
/// "dns", "internet:443" -> "internet:443/tcp", "lan" -> "lan" (every port of both protocols),
/// "[fd00::7]:53/udp".
[[nodiscard]] Result<std::string> parse_egress(std::string_view text);
/// "portfolio:5432" -> "portfolio:5432/tcp"
[[nodiscard]] Result<std::string> parse_peer(std::string_view text);

/// A container's name: [a-z0-9][a-z0-9-]{0,62}.
[[nodiscard]] bool is_container_name(std::string_view text);
/// A DNS name of at least two labels: "sessionserver.mojang.com". RFC 1123
[[nodiscard]] bool is_dns_name(std::string_view text);

}  // namespace guard::policies
