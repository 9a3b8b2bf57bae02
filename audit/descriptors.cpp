#include "audit/descriptors.h"

#include <fcntl.h>

#include <algorithm>

#include "audit/network_facts.h"
#include "base/proc_net.h"
#include "base/split.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

constexpr auto kDatagramFiles = std::to_array<const char*>({"net/udp", "net/udp6"});

// "any" for every address, "localhost" for this machine's own, else the address; IPv6 in brackets.
std::string address_in_words(std::string_view hex) {
    const auto address = address_in_hex(hex);
    if (!address) return std::string(hex);
    if (std::ranges::all_of(address->bytes, [](auto byte) { return byte == 0; })) return "any";
    if (is_loopback(*address)) return "localhost";
    const auto text = format_address(*address);
    return address->family == IpFamily::v6 ? "[" + text + "]" : text;
}

void add_port(Listeners& all, const ListeningSocket& socket, const char* suffix) {
    all[socket.inode] = address_in_words(socket.address) + ":" + std::to_string(socket.port) + suffix;
}

Result<void> add_datagram_ports(Listeners& all, int folder, const char* file) {
    const auto text = sys::read_file(folder, file);
    if (!text && text.error().code == ENOENT) return {};  // a kernel without IPv6
    if (!text) return std::unexpected(text.error());
    for (const auto& socket : TRY(parse_listening(*text, Transport::udp))) add_port(all, socket, "/udp");
    return {};
}

// "socket:[4711]" -> 4711, 0 for anything else
std::uint64_t socket_in_link(std::string_view link) {
    constexpr std::string_view kBegin = "socket:[";
    if (!link.starts_with(kBegin) || !link.ends_with(']')) return 0;
    link.remove_prefix(kBegin.size());
    link.remove_suffix(1);
    return number_of<std::uint64_t>(link).value_or(0);
}

}  // namespace

Result<Listeners> read_listeners(int folder, int netns) {
    Listeners all;
    for (const auto& socket : TRY(read_tcp_listeners(folder, netns))) add_port(all, socket, "/tcp");
    for (const auto* file : kDatagramFiles) CHECK(add_datagram_ports(all, folder, file));
    const auto text = TRY(sys::read_file(folder, "net/unix"));
    for (auto& socket : parse_unix_listeners(text)) all[socket.inode] = std::move(socket.path);
    return all;
}

HeldNamespace namespace_in_link(std::string_view link) {
    const auto colon = link.find(":[");
    if (colon == std::string_view::npos || !link.ends_with(']')) return {};
    const auto* const row = std::ranges::find(kNamespaces, link.substr(0, colon), &NamespaceRow::entry);
    if (row == kNamespaces.end()) return {};
    const auto inode = number_of<std::uint64_t>(link.substr(colon + 2, link.size() - colon - 3));
    return {row, inode.value_or(0), {}};
}

Result<HeldDescriptors> read_descriptors(int folder) {
    HeldDescriptors held;
    const auto list = TRY(sys::openat(folder, "fd", O_RDONLY | O_DIRECTORY));
    for (const auto& name : TRY(sys::list_directory(list.get(), "."))) {
        const auto link = sys::readlinkat(list.get(), name);
        if (!link) continue;  // closed meanwhile
        if (const auto socket = socket_in_link(*link)) held.sockets.push_back(socket);
        if (auto held_one = namespace_in_link(*link); held_one.row != nullptr) {
            held_one.path = "fd/" + name;
            held.namespaces.push_back(std::move(held_one));
        }
    }
    return held;
}

}  // namespace guard::audit
