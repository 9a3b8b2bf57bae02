#include "base/proc_net.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/split.h"

namespace guard {
namespace {

constexpr std::string_view kTcpListen = "0A";  // include/net/tcp_states.h
constexpr std::string_view kClosed = "07";     // what an unconnected UDP socket is said to be

}  // namespace

Result<std::vector<ListeningSocket>> parse_listening(std::string_view text, Transport transport) {
    std::vector<ListeningSocket> all;
    for (const auto line : lines_of(text)) {
        const auto words = words_of(line);
        if (!words.empty() && words[0] == "sl") continue;
        const auto wrong = fail("read a list of sockets", "line " + std::string(line));
        if (words.size() < 4) return wrong;
        const auto colon = words[1].find(':');
        const auto port = colon == std::string_view::npos
                              ? std::nullopt
                              : number_of<std::uint16_t>(words[1].substr(colon + 1), 16);
        if (!port) return wrong;
        if (words[3] != (transport == Transport::tcp ? kTcpListen : kClosed) || *port == 0) continue;
        constexpr std::size_t kInode = 9;
        const auto inode =
            words.size() > kInode ? number_of<std::uint64_t>(words[kInode]) : std::optional<std::uint64_t>();
        all.push_back({std::string(words[1].substr(0, colon)), *port, inode.value_or(0)});
    }
    return all;
}

std::optional<IpAddress> address_in_hex(std::string_view hex) {
    constexpr std::size_t kWord = 8;
    if (hex.size() != kWord && hex.size() != 4 * kWord) return std::nullopt;
    IpAddress address{hex.size() == kWord ? IpFamily::v4 : IpFamily::v6, {}};
    for (std::size_t at = 0; at < hex.size(); at += kWord) {
        // Each word is printed as a number of this machine, and lies in memory in network order.
        const auto word = number_of<std::uint32_t>(hex.substr(at, kWord), 16);
        if (!word) return std::nullopt;
        std::memcpy(address.bytes.data() + at / 2, &*word, sizeof *word);
    }
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (address.family == IpFamily::v6 && std::equal(kMapped.begin(), kMapped.end(), address.bytes.begin())) {
        std::copy_n(address.bytes.begin() + kMapped.size(), 4, address.bytes.begin());
        std::fill(address.bytes.begin() + 4, address.bytes.end(), 0);
        address.family = IpFamily::v4;
    }
    return address;
}

std::vector<UnixListener> parse_unix_listeners(std::string_view text) {
    // Num RefCount Protocol Flags Type St Inode Path; __SO_ACCEPTCON is the one flag. proc_pid_net(5)
    constexpr std::string_view kAccepts = "00010000";
    constexpr std::size_t kFlags = 3, kInode = 6, kPath = 7;
    std::vector<UnixListener> all;
    for (const auto line : lines_of(text)) {
        const auto words = words_of(line);
        if (words.size() <= kPath || words[kFlags] != kAccepts) continue;
        const auto inode = number_of<std::uint64_t>(words[kInode]);
        if (!inode) continue;
        const auto path = line.substr(static_cast<std::size_t>(words[kPath].data() - line.data()));
        all.push_back({std::string(path), *inode});
    }
    return all;
}

std::vector<std::string> parse_interfaces(std::string_view text) {
    std::vector<std::string> names;
    for (const auto line : lines_of(text)) {
        const auto colon = line.find(':');  // the two lines of headings have none
        const auto words = colon == std::string_view::npos ? words_of("") : words_of(line.substr(0, colon));
        if (!words.empty()) names.emplace_back(words[0]);
    }
    return names;
}

}  // namespace guard
