#pragma once
#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "base/guard_table.h"
#include "base/links.h"
#include "base/sys.h"
#include "launcher/network.h"
#include "launcher/network_table.h"

/// A house in network namespaces: this machine, its LAN and the internet, with containers that are bare
/// namespaces. The test's own thread is in "this machine"; nothing of the real one is touched.
namespace guard::launcher::lab {

/// Runs `act` in a network namespace, in a thread of its own.
template <class Act>
auto in(int netns, Act act) {
    decltype(act()) result{};
    std::thread([&] {
        if (::setns(netns, CLONE_NEWNET) == 0) result = act();
    }).join();
    return result;
}

inline UniqueFd own_netns() { return *sys::open("/proc/thread-self/ns/net", O_RDONLY); }
inline UniqueFd new_netns() {
    UniqueFd fd;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) == 0) fd = own_netns();
    }).join();
    return fd;
}

inline socklen_t fill(sockaddr_storage& storage, const std::string& text, std::uint16_t port) {
    const auto address = *parse_address(text);
    if (address.family == IpFamily::v4) {
        auto& four = reinterpret_cast<sockaddr_in&>(storage);
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        std::memcpy(&four.sin_addr, address.bytes.data(), 4);
        return sizeof four;
    }
    auto& six = reinterpret_cast<sockaddr_in6&>(storage);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    std::memcpy(&six.sin6_addr, address.bytes.data(), 16);
    return sizeof six;
}
inline std::string text_of(const sockaddr_storage& storage) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (storage.ss_family == AF_INET)
        ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, text.data(),
                    text.size());
    else
        ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, text.data(),
                    text.size());
    std::string whole = text.data();
    return whole.starts_with("::ffff:") ? whole.substr(7) : whole;
}

/// Answers every TCP connection and every UDP datagram on a port with the address it sees the client at.
class Server {
public:
    Server(int netns, std::uint16_t port, const std::string& address = "::", int type = SOCK_STREAM)
        : type_(type) {
        fd_ = in(netns, [&] {
            const bool six = address.contains(':');
            UniqueFd fd(::socket(six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0));
            const int on = 1;
            ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
            sockaddr_storage to{};
            const auto size = fill(to, address, port);
            if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&to), size) < 0) return UniqueFd();
            if (type == SOCK_STREAM) ::listen(fd.get(), 16);
            return fd;
        });
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        stop_ = true;
        thread_.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

private:
    void serve() {
        while (!stop_) {
            pollfd wait{fd_.get(), POLLIN, 0};
            if (::poll(&wait, 1, 20) != 1) continue;
            sockaddr_storage peer{};
            socklen_t size = sizeof peer;
            if (type_ == SOCK_STREAM) {
                const UniqueFd one(
                    ::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC));
                const auto text = text_of(peer);
                static_cast<void>(::send(one.get(), text.data(), text.size(), MSG_NOSIGNAL));
            } else {
                char byte = 0;
                ::recvfrom(fd_.get(), &byte, 1, 0, reinterpret_cast<sockaddr*>(&peer), &size);
                const auto text = text_of(peer);
                ::sendto(fd_.get(), text.data(), text.size(), 0, reinterpret_cast<sockaddr*>(&peer), size);
            }
        }
    }
    UniqueFd fd_;
    int type_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

/// What the server at the other end says it sees, else "-" and why there is none.
inline std::string ask(int netns, const std::string& address, std::uint16_t port, int type = SOCK_STREAM,
                       const std::string& from = "") {
    constexpr int kPatience = 500;
    return in(netns, [&]() -> std::string {
        sockaddr_storage to{};
        const auto size = fill(to, address, port);
        const UniqueFd fd(::socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (!from.empty()) {
            sockaddr_storage source{};
            const auto length = fill(source, from, 0);
            if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&source), length) < 0) return "- bind";
        }
        if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), size) < 0 && errno != EINPROGRESS)
            return std::string("- ") + ::strerror(errno);
        if (type == SOCK_DGRAM && ::send(fd.get(), "?", 1, 0) < 0)
            return std::string("- ") + ::strerror(errno);
        pollfd wait{fd.get(), POLLIN, 0};
        if (::poll(&wait, 1, kPatience) == 0) return "- silence";
        std::array<char, 64> text{};
        const auto got = ::recv(fd.get(), text.data(), text.size(), 0);
        if (got <= 0) return std::string("- ") + ::strerror(errno);
        return {text.data(), static_cast<std::size_t>(got)};
    });
}
inline bool is_refused(const std::string& answer) { return answer.starts_with("-"); }

struct Container {
    NetworkPlan plan;
    UniqueFd netns;
    [[nodiscard]] int net() const { return netns.get(); }
};

struct Reaches {
    std::vector<std::string> publish, egress, peers;
    bool ipv6 = true;
    std::vector<std::string> dns, address;
};

inline Profile profile_of(const Reaches& reaches) {
    const auto grants = [](const std::vector<std::string>& words) {
        return Grants<std::string>{{words.begin(), words.end()}};
    };
    Profile profile;
    profile.name = "test";
    profile.posture = nothing_granted();
    profile.posture.network.publish = grants(reaches.publish);
    profile.posture.network.egress = grants(reaches.egress);
    profile.posture.network.peers = grants(reaches.peers);
    profile.service.network.mode = NetworkMode::bridge;
    profile.service.network.ipv6 = reaches.ipv6;
    profile.service.network.dns = reaches.dns;
    profile.service.network.address = reaches.address;
    return profile;
}

inline void undo(const NetworkPlan& plan) {
    for (auto made = plan.will_make.rbegin(); made != plan.will_make.rend(); ++made) {
        const auto undone = undo_network(*made);
        EXPECT_TRUE(undone) << describe(undone.error());
    }
}

inline void put(const std::string& path, const std::string& text) { std::ofstream(path) << text; }
inline std::string get(const std::string& path) { return sys::read_file(path).value_or(""); }

class NetworkLab : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root to make network namespaces";
        if (::unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
            GTEST_SKIP() << "can't make a network namespace: " << ::strerror(errno);
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        ASSERT_EQ(::mount("tmpfs", "/var/lib", "tmpfs", 0, nullptr), 0);
        host_ = own_netns();
        auto links = *links::open_socket();
        ASSERT_TRUE(links.transact(links::set_up("lo")));
        lan_ = neighbour(links, "lan0", "192.168.77", "fd77:0:0:1");
        internet_ = neighbour(links, "wan0", "198.41.0", "2a00:1450:4001:1");
    }

    /// Another machine: .2 and ::2 there, .1 and ::1 here; this machine is its router.
    UniqueFd neighbour(netlink::Socket& here, const std::string& name, const std::string& net4,
                       const std::string& net6) {
        auto netns = new_netns();
        EXPECT_TRUE(here.transact(links::make_veth({name, "eth0", netns.get(), 0})));
        auto there = *links::open_socket_in(netns.get());
        const auto fill_in = [&](netlink::Socket& socket, const std::string& link, const std::string& last) {
            const auto index = (*links::find(socket, link))->index;
            const std::vector<netlink::Request> requests{
                links::set_up("lo"),
                links::choose_own_addresses(link, links::Localnet::refused),
                links::set_up(link),
                links::add_address(index, {*parse_address(net4 + "." + last), 24}),
                links::add_address(index, {*parse_address(net6 + "::" + last), 64}),
                links::add_address(index, {*parse_address("fe80::" + last), 64})};
            const auto made = socket.transact(requests);
            EXPECT_TRUE(made) << describe(made.error());
        };
        fill_in(here, name, "1");
        fill_in(there, "eth0", "2");
        static_cast<void>(links::find(here, name));  // has a carrier from now on
        return netns;
    }

    Container& launch(const std::string& name, const Reaches& reaches) {
        auto plan = plan_network(profile_of(reaches), name);
        EXPECT_TRUE(plan) << describe(plan.error());
        containers_.push_back({plan.value_or(NetworkPlan{}), new_netns()});
        const auto made = make_network(containers_.back().plan, containers_.back().net());
        EXPECT_TRUE(made) << describe(made.error());
        return containers_.back();
    }
    /// A machine of the LAN knows a way to the containers: it sends to them directly.
    void route_to(int netns, const Container& container, const std::string& via4, const std::string& via6) {
        auto socket = *links::open_socket_in(netns);
        const auto index = (*links::find(socket, "eth0"))->index;
        const auto added = socket.transact(
            std::vector{links::add_route(index, *parse_range(container.plan.address4), parse_address(via4)),
                        links::add_route(index, *parse_range(container.plan.address6), parse_address(via6))});
        ASSERT_TRUE(added) << describe(added.error());
    }

    [[nodiscard]] int host() const { return host_.get(); }
    [[nodiscard]] int lan() const { return lan_.get(); }
    [[nodiscard]] int internet() const { return internet_.get(); }

    UniqueFd host_, lan_, internet_;
    std::list<Container> containers_;
};

}  // namespace guard::launcher::lab
