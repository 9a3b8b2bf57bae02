#include "audit/network_facts.h"

#include <linux/netlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

#include "base/enter.h"
#include "base/nftables.h"
#include "base/proc_net.h"
#include "base/proc_routes.h"
#include "base/sock_diag.h"
#include "base/split.h"
#include "base/sys.h"
#include "posture/network_settings.h"

namespace guard::audit {
namespace {

// A UDP socket on a port of the ephemeral range is a client that waits for an answer, as far as anybody can
// see; below it, somebody chose the port. ip(7) ip_local_port_range
constexpr std::uint16_t kFirstEphemeralPort = 32'768;

// A file of /proc/PID/net; empty where this kernel lacks the protocol.
Result<std::string> read_net(int folder, const std::string& file) {
    auto text = sys::read_file(folder, "net/" + file);
    if (!text && text.error().code == ENOENT) return std::string();
    return text;
}

struct SocketList {
    const char* file;
    const char* suffix;
};
constexpr auto kTcpFiles = std::to_array<const char*>({"tcp", "tcp6"});
constexpr auto kDatagramLists = std::to_array<SocketList>(
    {{"udp", "/udp"}, {"udp6", "/udp"}, {"udplite", "/udplite"}, {"udplite6", "/udplite"}});

constexpr auto kRawLists = std::to_array<SocketList>({{"raw", "/ip"}, {"raw6", "/ipv6"}});

}  // namespace

// Each file of TCP walks the table of every connection of the machine, two to four milliseconds; the kernel's
// answer only those that wait.
Result<std::vector<ListeningSocket>> read_tcp_listeners(int folder, int netns) {
    if (auto socket = netlink::open_in(netns, NETLINK_SOCK_DIAG))
        if (auto told = listening_sockets(*socket, Transport::tcp)) return told;
    std::vector<ListeningSocket> all;
    for (const auto* file : kTcpFiles) {
        const auto text = TRY(read_net(folder, file));
        std::ranges::move(TRY(parse_listening(text, Transport::tcp)), std::back_inserter(all));
    }
    return all;
}

Result<std::set<std::string>> read_listening(int folder, int netns) {
    std::set<std::string> ports;
    for (const auto& socket : TRY(read_tcp_listeners(folder, netns)))
        ports.insert(std::to_string(socket.port) + "/tcp");
    for (const auto& [file, suffix] : kDatagramLists) {
        const auto text = TRY(read_net(folder, file));
        for (const auto& socket : TRY(parse_listening(text, Transport::udp)))
            if (socket.port < kFirstEphemeralPort) ports.insert(std::to_string(socket.port) + suffix);
    }
    for (const auto& [file, suffix] : kRawLists) {
        const auto text = TRY(read_net(folder, file));
        for (const auto& socket : TRY(parse_listening(text, Transport::udp)))
            ports.insert("raw protocol " + std::to_string(socket.port) + suffix);
    }
    const auto packets = TRY(read_net(folder, "packet"));
    if (lines_of(packets).size() > 1) ports.insert("packets of every kind");  // the first line is headings
    return ports;
}

Result<std::set<std::string>> read_interfaces(int folder) {
    const auto text = TRY(sys::read_file(folder, "net/dev"));
    const auto names = parse_interfaces(text);
    return std::set(names.begin(), names.end());
}

Result<std::set<std::string>> read_route_words(int folder) {
    const auto text = TRY(read_net(folder, "route")), text6 = TRY(read_net(folder, "ipv6_route"));
    std::set<std::string> words;
    for (const auto& route : TRY(parse_routes(text))) words.insert(format_route(route));
    for (const auto& route : TRY(parse_ipv6_routes(text6))) words.insert(format_route(route));
    return words;
}

Result<std::set<std::string>> read_filter_tables(int folder, int netns) {
    std::set<std::string> tables;
    auto socket = netlink::open_in(netns, NETLINK_NETFILTER);
    // A kernel without packet filters has no tables.
    if (!socket && socket.error().code != EPROTONOSUPPORT) return std::unexpected(socket.error());
    if (socket)
        for (const auto& table : TRY(nft::tables_of(*socket))) tables.insert("nft " + table);
    for (const auto* file : {"ip_tables_names", "ip6_tables_names", "arp_tables_names"}) {
        const auto text = TRY(read_net(folder, file));
        const auto kind = std::string(file).substr(0, std::string_view(file).find('_'));
        for (const auto name : lines_of(text)) tables.insert(kind + "tables " + std::string(name));
    }
    return tables;
}

Result<std::map<std::string, std::string>> read_network_settings(int netns) {
    // These files show the namespace of whoever opens them.
    const auto inside = TRY(EnteredNetwork::enter(netns));
    std::map<std::string, std::string> settings;
    for (const auto& row : kNetworkSettings) {
        auto text = sys::read_file(row.file);
        if (!text && text.error().code == ENOENT) continue;
        if (!text) return std::unexpected(text.error());
        while (!text->empty() && text->back() == '\n') text->pop_back();
        settings[std::string(row.name)] = *text;
    }
    return settings;
}

}  // namespace guard::audit
