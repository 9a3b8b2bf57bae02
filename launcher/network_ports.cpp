#include "launcher/network_ports.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include "base/split.h"
#include "base/sys.h"
#include "base/unique_fd.h"

namespace guard::launcher {
namespace {

struct Listener {
    IpAddress address;
    std::uint16_t port = 0;
    unsigned uid = 0;
    std::string inode;
};

/// Nothing listens there, so far as one bind can tell: it fails where any socket is bound to the port, on
/// whatever address, and costs a few microseconds where reading /proc/net costs a walk over every connection.
bool certainly_free(IpFamily family, Protocol protocol, std::uint16_t port) {
    const int domain = family == IpFamily::v4 ? AF_INET : AF_INET6;
    const UniqueFd probe(
        ::socket(domain, (protocol == Protocol::udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    if (!probe) return family == IpFamily::v6;  // no IPv6 here
    const int on = 1;
    // Connections of the past may keep a TCP port busy; only one that listens counts. socket(7)
    if (protocol == Protocol::tcp) ::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (family == IpFamily::v6) ::setsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (family == IpFamily::v4) {
        const sockaddr_in any{AF_INET, htons(port), {INADDR_ANY}, {}};
        return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
    }
    const sockaddr_in6 any{AF_INET6, htons(port), 0, IN6ADDR_ANY_INIT, 0};
    return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0;
}

/// "0100007F:6378": words of four bytes in the order of this machine. proc_pid_net(5)
std::optional<IpAddress> address_of(std::string_view hex) {
    IpAddress address{hex.size() == 8 ? IpFamily::v4 : IpFamily::v6, {}};
    for (std::size_t word = 0; word * 8 < hex.size(); ++word) {
        const auto value = number_of<std::uint32_t>(hex.substr(word * 8, 8), 16);
        if (!value) return std::nullopt;
        std::memcpy(address.bytes.data() + word * 4, &*value, sizeof *value);
    }
    return address;
}

std::optional<Listener> listener_of(std::string_view line, Protocol protocol) {
    const auto words = words_of(line);
    constexpr std::size_t kLocal = 1, kState = 3, kUser = 7, kInode = 9;
    if (words.size() <= kInode || words[kState] != (protocol == Protocol::tcp ? "0A" : "07"))
        return std::nullopt;
    const auto colon = words[kLocal].find(':');
    const auto address = address_of(words[kLocal].substr(0, colon));
    const auto port = number_of<std::uint16_t>(words[kLocal].substr(colon + 1), 16);
    const auto uid = number_of<unsigned>(words[kUser]);
    if (!address || !port || !uid) return std::nullopt;
    return Listener{*address, *port, *uid, std::string(words[kInode])};
}

Result<std::vector<Listener>> listeners(Protocol protocol) {
    const std::string name = protocol == Protocol::tcp ? "tcp" : "udp";
    std::vector<Listener> all;
    for (const auto& file : {"/proc/net/" + name, "/proc/net/" + name + "6"}) {
        const auto text = sys::read_file(file);
        if (!text) continue;  // no IPv6 here
        for (const auto line : lines_of(*text))
            if (auto one = listener_of(line, protocol)) all.push_back(std::move(*one));
    }
    return all;
}

bool reaches(const PublishWord& word, const IpAddress& listens) {
    static constexpr IpAddress kAny4{IpFamily::v4, {}}, kAny6{IpFamily::v6, {}};
    if (listens == kAny4 || listens == kAny6) return true;
    switch (word.at) {
        case PublishWord::At::any: return true;
        case PublishWord::At::lan: return is_private(listens);
        case PublishWord::At::localhost: return is_loopback(listens);
        case PublishWord::At::address: return word.address == listens;
    }
    return true;
}

/// "alice", else the number. No NSS: what it loads is not guard's.
std::string user_name(unsigned uid) {
    const auto text = sys::read_file("/etc/passwd").value_or("");
    for (const auto line : lines_of(text)) {
        const auto fields = split(line, ':');
        if (fields.size() > 2 && fields[2] == std::to_string(uid)) return std::string(fields[0]);
    }
    return std::to_string(uid);
}

struct Holder {
    std::string command, pid;
};
/// The process that holds this socket; none where it can't be seen.
std::optional<Holder> holder_of(const std::string& inode) {
    const auto wanted = "socket:[" + inode + "]";
    const auto pids = sys::list_directory(AT_FDCWD, "/proc");
    for (const auto& pid : pids.value_or(std::vector<std::string>{})) {
        if (!number_of<unsigned>(pid)) continue;
        const auto folder = "/proc/" + pid + "/fd";
        for (const auto& fd : sys::list_directory(AT_FDCWD, folder).value_or(std::vector<std::string>{})) {
            if (sys::readlinkat(AT_FDCWD, folder + "/" + fd).value_or("") != wanted) continue;
            auto name = sys::read_file("/proc/" + pid + "/comm").value_or("a program\n");
            name.pop_back();
            return Holder{std::move(name), pid};
        }
    }
    return std::nullopt;
}

/// The same word with other ports in front.
std::string one_further(PublishWord word) {
    const int step = word.outer.last < 65535 ? 1 : -1;
    word.outer.first = static_cast<std::uint16_t>(word.outer.first + step);
    word.outer.last = static_cast<std::uint16_t>(word.outer.last + step);
    return format_publish(word);
}

std::unexpected<Error> taken(const PublishWord& word, const std::string& text, const Listener& listener) {
    const auto holder = holder_of(listener.inode);
    const bool six = listener.address.family == IpFamily::v6;
    const auto address =
        six ? "[" + format_address(listener.address) + "]" : format_address(listener.address);
    const auto user = user_name(listener.uid);
    return fail(
        "publish " + text,
        fmt::format("{} listens on {}:{}",
                    holder ? fmt::format("{} (process {}, user {})", holder->command, holder->pid, user)
                           : fmt::format("a program of user {}", user),
                    address, listener.port),
        fmt::format("stop that process, or launch with --set 'network.publish=[\"{}\"]'", one_further(word)));
}

}  // namespace

Result<void> check_not_taken(const PublishWord& word, const std::string& text) {
    const auto free = [&](unsigned port) {
        const auto number = static_cast<std::uint16_t>(port);
        return certainly_free(IpFamily::v4, word.protocol, number) &&
               certainly_free(IpFamily::v6, word.protocol, number);
    };
    unsigned port = word.outer.first;
    while (port <= word.outer.last && free(port)) ++port;
    if (port > word.outer.last) return {};
    for (const auto& listener : TRY(listeners(word.protocol)))
        if (listener.port >= word.outer.first && listener.port <= word.outer.last &&
            reaches(word, listener.address))
            return taken(word, text, listener);
    return {};
}

}  // namespace guard::launcher
