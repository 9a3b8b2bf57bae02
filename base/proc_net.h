#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace guard {

/// A socket that waits for peers: a line of /proc/PID/net/{tcp,tcp6,udp,udp6}. proc_pid_net(5)
struct ListeningSocket {
    std::string address;  ///< as the kernel prints it: hexadecimal words in host order
    std::uint16_t port = 0;
    bool operator==(const ListeningSocket&) const = default;
};

/// TCP: sockets in LISTEN. UDP has no such state: sockets that are bound and not connected.
enum class Transport : std::uint8_t { tcp, udp };
/// Fails with the line that is wrong.
[[nodiscard]] Result<std::vector<ListeningSocket>> parse_listening(std::string_view text,
                                                                   Transport transport);

/// The interfaces of /proc/PID/net/dev, in its order.
[[nodiscard]] std::vector<std::string> parse_interfaces(std::string_view text);

}  // namespace guard
