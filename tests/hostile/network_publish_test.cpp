#include "tests/hostile/network_lab.h"

namespace guard::launcher::lab {
namespace {

constexpr auto kLan4 = "192.168.77.1", kLan6 = "fd77:0:0:1::1", kWan4 = "198.41.0.1",
               kWan6 = "2a00:1450:4001:1::1";

class NetworkPublishTest : public NetworkLab {};

TEST_F(NetworkPublishTest, ALanClientReachesAPublishedPortAndKeepsItsAddress) {
    auto& server = launch("server", {.publish = {"lan:25565:25565/tcp"}});
    const Server listens(server.net(), 25565);
    EXPECT_EQ(ask(lan(), kLan4, 25565), "192.168.77.2");
    EXPECT_EQ(ask(lan(), kLan6, 25565), "fd77:0:0:1::2");
}

TEST_F(NetworkPublishTest, ThisMachineReachesItByItsLanAddressAndOverLocalhost) {
    auto& server = launch("server", {.publish = {"lan:25565:25565/tcp"}});
    const Server listens(server.net(), 25565);
    EXPECT_EQ(ask(host(), kLan4, 25565), kLan4);
    EXPECT_EQ(ask(host(), kLan6, 25565), kLan6);
    EXPECT_EQ(ask(host(), "127.0.0.1", 25565), server.plan.gateway4);
    // Refused at once, so that a program which tries ::1 first goes on to 127.0.0.1.
    EXPECT_EQ(ask(host(), "::1", 25565), "- Connection refused");
}

TEST_F(NetworkPublishTest, LanIsNotReachableAtAnAddressOfTheInternet) {
    auto& server = launch("server", {.publish = {"lan:25565:25565/tcp"}});
    const Server listens(server.net(), 25565);
    EXPECT_TRUE(is_refused(ask(internet(), kWan4, 25565)));
    EXPECT_TRUE(is_refused(ask(internet(), kWan6, 25565)));
}

TEST_F(NetworkPublishTest, LocalhostIsReachableFromThisMachineOnly) {
    auto& server = launch("server", {.publish = {"localhost:25565:25565/tcp"}});
    const Server listens(server.net(), 25565);
    EXPECT_FALSE(is_refused(ask(host(), "127.0.0.1", 25565)));
    EXPECT_TRUE(is_refused(ask(host(), kLan4, 25565)));
    EXPECT_TRUE(is_refused(ask(lan(), kLan4, 25565)));
    EXPECT_TRUE(is_refused(ask(lan(), kLan6, 25565)));
}

TEST_F(NetworkPublishTest, AnyIsReachableAtEveryAddress) {
    auto& server = launch("server", {.publish = {"any:8080:80/tcp"}});
    const Server listens(server.net(), 80);
    EXPECT_EQ(ask(internet(), kWan4, 8080), "198.41.0.2");
    EXPECT_EQ(ask(internet(), kWan6, 8080), "2a00:1450:4001:1::2");
    EXPECT_EQ(ask(lan(), kLan4, 8080), "192.168.77.2");
    EXPECT_FALSE(is_refused(ask(host(), "127.0.0.1", 8080)));
    EXPECT_TRUE(is_refused(ask(lan(), kLan4, 80))) << "only the outer port";
}

TEST_F(NetworkPublishTest, AnAddressIsReachableAtThatAddressOnly) {
    auto& server = launch(
        "server", {.publish = {"192.168.77.1:7000-7009:7000-7009/tcp", "[fd77:0:0:1::1]:9000:7003/tcp"}});
    const Server listens(server.net(), 7003);
    EXPECT_EQ(ask(lan(), kLan4, 7003), "192.168.77.2");
    EXPECT_EQ(ask(lan(), kLan6, 9000), "fd77:0:0:1::2");
    EXPECT_TRUE(is_refused(ask(host(), "127.0.0.1", 7003)));
    EXPECT_TRUE(is_refused(ask(internet(), kWan4, 7003)));
}

TEST_F(NetworkPublishTest, UdpIsPublishedLikeTcp) {
    auto& server = launch("server", {.publish = {"lan:30000:30000/udp"}});
    const Server listens(server.net(), 30000, "::", SOCK_DGRAM);
    EXPECT_EQ(ask(lan(), kLan4, 30000, SOCK_DGRAM), "192.168.77.2");
    EXPECT_TRUE(is_refused(ask(lan(), kLan4, 30000)));
}

TEST_F(NetworkPublishTest, APortThatIsNotPublishedCanNotBeReachedEvenByARouteToTheContainer) {
    auto& server = launch("server", {.publish = {"lan:25565:25565/tcp"}});
    const Server published(server.net(), 25565), hidden(server.net(), 5005);
    route_to(lan(), server, kLan4, kLan6);
    EXPECT_TRUE(is_refused(ask(lan(), server.plan.address4, 5005)));
    EXPECT_TRUE(is_refused(ask(lan(), server.plan.address6, 5005)));
    EXPECT_TRUE(is_refused(ask(lan(), kLan4, 5005)));
    EXPECT_TRUE(is_refused(ask(host(), server.plan.address4, 5005))) << "from this machine neither";
    EXPECT_TRUE(is_refused(ask(host(), server.plan.address6, 5005)));
    EXPECT_EQ(ask(lan(), kLan4, 25565), "192.168.77.2");
}

TEST_F(NetworkPublishTest, AContainerReachesItsOwnPublishedPort) {
    for (const auto* bridge_filter : {"0", "1"}) {
        put("/proc/sys/net/bridge/bridge-nf-call-iptables", bridge_filter);
        auto& server = launch("server", {.publish = {"lan:25565:25565/tcp"}});
        const Server listens(server.net(), 25565);
        EXPECT_EQ(ask(server.net(), kLan4, 25565), server.plan.gateway4) << bridge_filter;
        EXPECT_FALSE(is_refused(ask(server.net(), kLan6, 25565)));
        undo(server.plan);
    }
}

TEST_F(NetworkPublishTest, OneWithoutIpv6HasNone) {
    auto& server = launch("server", {.publish = {"any:25565:25565/tcp"}, .ipv6 = false});
    const Server listens(server.net(), 25565);
    EXPECT_EQ(ask(lan(), kLan4, 25565), "192.168.77.2");
    EXPECT_TRUE(is_refused(ask(lan(), kLan6, 25565)));
    EXPECT_EQ(in(server.net(), [] { return get("/proc/net/if_inet6"); }).find("eth0"), std::string::npos);
}

TEST_F(NetworkPublishTest, APortThatSomebodyListensOnIsRefusedByName) {
    const Server other(host(), 25565, "192.168.77.1");
    const auto plan = plan_network(profile_of({.publish = {"lan:25565:25565/tcp"}}), "server");
    ASSERT_FALSE(plan);
    EXPECT_NE(plan.error().reason.find("listens on 192.168.77.1:25565"), std::string::npos)
        << describe(plan.error());
    EXPECT_NE(plan.error().reason.find("process " + std::to_string(::getpid())), std::string::npos)
        << describe(plan.error());
    EXPECT_TRUE(plan_network(profile_of({.publish = {"198.41.0.1:25565:25565/tcp"}}), "server"))
        << "another address is free";
}

TEST_F(NetworkPublishTest, APortOfAnotherContainerIsRefusedByName) {
    launch("first", {.publish = {"any:80:8080/tcp"}});
    const auto plan = plan_network(profile_of({.publish = {"lan:80:80/tcp"}}), "second");
    ASSERT_FALSE(plan);
    EXPECT_NE(plan.error().reason.find("container first publishes any:80:8080/tcp"), std::string::npos)
        << describe(plan.error());
}

}  // namespace
}  // namespace guard::launcher::lab
