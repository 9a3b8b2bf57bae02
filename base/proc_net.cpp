#include "base/proc_net.h"

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
        all.push_back({std::string(words[1].substr(0, colon)), *port});
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
