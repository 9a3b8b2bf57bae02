#include "cli/metrics.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/ip_address.h"
#include "base/split.h"

namespace guard::cli {
namespace {

constexpr int kPatience = 200;  // ms that a client has to ask
constexpr int kWaiting = 8;     // clients

std::unexpected<Error> wrong_place(const std::string& where) {
    return fail("answer on " + where, "it is no unix:/PATH and no loopback address with a port",
                "--listen 127.0.0.1:9100 or --listen unix:/run/guard-metrics.sock");
}

Result<UniqueFd> listening(const sockaddr* address, socklen_t size, const std::string& where) {
    UniqueFd socket(::socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return fail_errno("make a socket", errno);
    const int on = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(socket.get(), address, size) < 0 || ::listen(socket.get(), kWaiting) < 0)
        return fail_errno("answer on " + where, errno);
    return socket;
}

// What an earlier watcher left is removed; a socket that somebody answers on stays.
void remove_stale(const sockaddr_un& address) {
    const UniqueFd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    struct stat status{};
    const auto* const path = static_cast<const char*>(address.sun_path);
    if (::lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode)) return;
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0 &&
        errno == ECONNREFUSED)
        ::unlink(path);
}

Result<UniqueFd> on_path(const std::string& path, const std::string& where) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (!path.starts_with('/') || path.size() >= sizeof address.sun_path) return wrong_place(where);
    std::ranges::copy(path, static_cast<char*>(address.sun_path));
    remove_stale(address);
    return listening(reinterpret_cast<const sockaddr*>(&address), sizeof address, where);
}

Result<UniqueFd> on_port(const std::string& where) {
    const auto colon = where.rfind(':');
    auto host = where.substr(0, colon == std::string::npos ? 0 : colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto address = parse_address(host);
    const auto port =
        colon == std::string::npos ? std::nullopt : number_of<std::uint16_t>(where.substr(colon + 1));
    if (!address || !port || !is_loopback(*address)) return wrong_place(where);
    if (address->family == IpFamily::v6) {
        sockaddr_in6 six{};
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(*port);
        std::ranges::copy(address->bytes, static_cast<unsigned char*>(six.sin6_addr.s6_addr));
        return listening(reinterpret_cast<const sockaddr*>(&six), sizeof six, where);
    }
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(*port);
    std::copy_n(address->bytes.begin(), 4, reinterpret_cast<unsigned char*>(&four.sin_addr));
    return listening(reinterpret_cast<const sockaddr*>(&four), sizeof four, where);
}

std::string answer_to(std::string_view request, std::string_view metrics) {
    const bool right = request.starts_with("GET /metrics ") || request.starts_with("GET /metrics?");
    const std::string_view body = right ? metrics : "only GET /metrics is answered here\n";
    return fmt::format(
        "HTTP/1.0 {}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n"
        "Connection: close\r\n\r\n{}",
        right ? "200 OK" : "404 Not Found", body.size(), body);
}

void converse(const UniqueFd& client, std::string_view metrics) {
    std::array<char, 4096> request{};
    pollfd asks{client.get(), POLLIN, 0};
    if (TEMP_FAILURE_RETRY(::poll(&asks, 1, kPatience)) <= 0) return;
    const auto size = TEMP_FAILURE_RETRY(::recv(client.get(), request.data(), request.size(), 0));
    if (size <= 0) return;
    auto answer = answer_to({request.data(), static_cast<std::size_t>(size)}, metrics);
    std::string_view rest = answer;
    pollfd takes{client.get(), POLLOUT, 0};
    while (!rest.empty() && TEMP_FAILURE_RETRY(::poll(&takes, 1, kPatience)) > 0) {
        const auto sent = ::send(client.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent <= 0) return;
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
}

}  // namespace

Result<MetricsServer> MetricsServer::open(const std::string& where) {
    constexpr std::string_view kUnix = "unix:";
    if (!where.starts_with(kUnix)) return MetricsServer(TRY(on_port(where)), "");
    auto path = where.substr(kUnix.size());
    auto socket = TRY(on_path(path, where));
    return MetricsServer(std::move(socket), std::move(path));
}

MetricsServer::~MetricsServer() {
    if (socket_ && !path_.empty()) ::unlink(path_.c_str());
}

void MetricsServer::serve(std::string_view metrics) const {
    for (int served = 0; served < kWaiting; ++served) {
        const UniqueFd client(TEMP_FAILURE_RETRY(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
        if (!client) return;
        converse(client, metrics);
    }
}

}  // namespace guard::cli
