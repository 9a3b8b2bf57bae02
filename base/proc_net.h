#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ip_address.h"

namespace guard {

/// A socket that waits for peers: a line of /proc/PID/net/{tcp,tcp6,udp,udp6}. proc_pid_net(5)
struct ListeningSocket {
    std::string address;  ///< as the kernel prints it: hexadecimal words in host order
    std::uint16_t port = 0;
    std::uint64_t inode = 0;  ///< of the socket: what a descriptor's link shows; 0 where it is not told
    bool operator==(const ListeningSocket&) const = default;
};

/// TCP: sockets in LISTEN. UDP has no such state: sockets that are bound and not connected.
enum class Transport : std::uint8_t { tcp, udp };
/// Fails with the line that is wrong.
[[nodiscard]] Result<std::vector<ListeningSocket>> parse_listening(std::string_view text,
                                                                   Transport transport);

/// The address as the kernel prints it, as an address: an IPv4 one that IPv6 carries becomes IPv4. None where
/// it is no address.
[[nodiscard]] std::optional<IpAddress> address_in_hex(std::string_view hex);

/// A socket of /proc/PID/net/unix that waits for peers.
struct UnixListener {
    std::string path;  ///< "@NAME" for an abstract one; never empty
    std::uint64_t inode = 0;
    bool operator==(const UnixListener&) const = default;
};
/// Lines that make no sense are left out: a path may hold a newline.
[[nodiscard]] std::vector<UnixListener> parse_unix_listeners(std::string_view text);

/// The interfaces of /proc/PID/net/dev, in its order.
[[nodiscard]] std::vector<std::string> parse_interfaces(std::string_view text);

}  // namespace guard
