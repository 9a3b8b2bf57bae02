#include "base/sock_diag.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

namespace guard {
namespace {

// States of include/net/tcp_states.h: a TCP socket that listens, a UDP socket that is not connected.
constexpr unsigned kListen = 10, kClose = 7;

std::string hex_of(const inet_diag_sockid& id, unsigned char family) {
    std::string hex;
    const unsigned words = family == AF_INET6 ? 4 : 1;
    for (unsigned word = 0; word < words; ++word) hex += fmt::format("{:08X}", id.idiag_src[word]);
    return hex;
}

Result<void> add(std::vector<ListeningSocket>& all, netlink::Socket& socket, Transport transport,
                 std::uint8_t family) {
    inet_diag_req_v2 asked{};
    asked.sdiag_family = family;
    asked.sdiag_protocol = transport == Transport::tcp ? IPPROTO_TCP : IPPROTO_UDP;
    asked.idiag_states = 1U << (transport == Transport::tcp ? kListen : kClose);
    const auto answers = TRY(socket.ask(
        {SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, netlink::bytes_of(asked), "list the sockets that wait for peers"}));
    for (const auto& answer : answers) {
        inet_diag_msg told{};
        if (answer.type != SOCK_DIAG_BY_FAMILY || answer.payload.size() < sizeof told) continue;
        std::memcpy(&told, answer.payload.data(), sizeof told);
        const auto port = ntohs(told.id.idiag_sport);
        if (port != 0) all.push_back({hex_of(told.id, told.idiag_family), port, told.idiag_inode});
    }
    return {};
}

}  // namespace

Result<std::vector<ListeningSocket>> listening_sockets(netlink::Socket& socket, Transport transport) {
    std::vector<ListeningSocket> all;
    for (const std::uint8_t family : {AF_INET, AF_INET6}) CHECK(add(all, socket, transport, family));
    return all;
}

}  // namespace guard
