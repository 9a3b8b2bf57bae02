#include <chrono>
#include <iostream>

#include "tests/hostile/network_lab.h"

namespace guard::launcher::lab {
namespace {

constexpr auto kLan4 = "192.168.77.2", kLan6 = "fd77:0:0:1::2", kNet4 = "198.41.0.2",
               kNet6 = "2a00:1450:4001:1::2";
constexpr auto kHost4 = "192.168.77.1", kHost6 = "fd77:0:0:1::1";

class NetworkEgressTest : public NetworkLab {};

struct Case {
    std::string word;
    bool lan4, lan6, net4, net6, host4, host6;  ///< what it lets through on port 443
};

TEST_F(NetworkEgressTest, EachTargetLeadsWhereItSaysAndNowhereElse) {
    const std::array cases{
        Case{"", false, false, false, false, false, false},
        Case{"dns", false, false, false, false, false, false},
        Case{"internet", false, false, true, true, false, false},
        Case{"internet:80/tcp", false, false, false, false, false, false},
        Case{"lan:443/tcp", true, true, false, false, false, false},
        Case{"lan:443/udp", false, false, false, false, false, false},
        Case{"host", false, false, false, false, true, true},
        Case{"any", true, true, true, true, true, true},
        Case{"192.168.77.2:443/tcp", true, false, false, false, false, false},
        Case{"[fd77:0:0:1::2]:443/tcp", false, true, false, false, false, false},
        Case{"198.41.0.0/24", false, false, true, false, false, false},
    };
    const Server lan_listens(lan(), 443), net_listens(internet(), 443), host_listens(host(), 443);
    // A busy machine may lose the first packet, or take its time: who is expected to answer is asked again.
    const auto agrees = [](int netns, const char* address, bool answers) {
        auto answer = ask(netns, address, 443);
        for (int again = 0; answers && answer == "- silence" && again < 5; ++again)
            answer = ask(netns, address, 443);
        return !is_refused(answer) == answers;
    };
    for (const auto& one : cases) {
        auto& box =
            launch("box", {.egress = one.word.empty() ? std::vector<std::string>{} : std::vector{one.word},
                           .dns = {"9.9.9.9"}});
        EXPECT_TRUE(agrees(box.net(), kLan4, one.lan4)) << one.word << " lan4";
        EXPECT_TRUE(agrees(box.net(), kLan6, one.lan6)) << one.word << " lan6";
        EXPECT_TRUE(agrees(box.net(), kNet4, one.net4)) << one.word << " net4";
        EXPECT_TRUE(agrees(box.net(), kNet6, one.net6)) << one.word << " net6";
        EXPECT_TRUE(agrees(box.net(), kHost4, one.host4)) << one.word << " host4";
        EXPECT_TRUE(agrees(box.net(), kHost6, one.host6)) << one.word << " host6";
        undo(box.plan);
    }
}

TEST_F(NetworkEgressTest, TheWorldSeesThisMachineNotTheContainer) {
    const Server listens(internet(), 443);
    auto& box = launch("box", {.egress = {"internet"}});
    EXPECT_EQ(ask(box.net(), kNet4, 443), "198.41.0.1");
    EXPECT_EQ(ask(box.net(), kNet6, 443), "2a00:1450:4001:1::1");
}

TEST_F(NetworkEgressTest, ContainersAreIsolatedButForPeersWhateverBrNetfilterSays) {
    for (const auto* bridge_filter : {"0", "1"}) {
        put("/proc/sys/net/bridge/bridge-nf-call-iptables", bridge_filter);
        auto& server = launch("server", {.peers = {"friend:5432/tcp"}});
        auto& friendly = launch("friend", {});
        auto& stranger = launch("stranger", {.egress = {"any"}});
        const Server open(server.net(), 5432), closed(server.net(), 5433);
        EXPECT_EQ(ask(friendly.net(), server.plan.address4, 5432), friendly.plan.address4) << bridge_filter;
        EXPECT_EQ(ask(friendly.net(), server.plan.address6, 5432), friendly.plan.address6) << bridge_filter;
        EXPECT_TRUE(is_refused(ask(friendly.net(), server.plan.address4, 5433)));
        EXPECT_TRUE(is_refused(ask(stranger.net(), server.plan.address4, 5432)));
        EXPECT_TRUE(is_refused(ask(stranger.net(), server.plan.address6, 5432)));
        for (auto* one : {&server, &friendly, &stranger}) undo(one->plan);
    }
}

TEST_F(NetworkEgressTest, AContainerCanNotTakeAnotherSourceAddress) {
    const Server listens(lan(), 443, "::", SOCK_DGRAM);
    auto& box = launch("box", {.egress = {"any"}});
    auto inside = *links::open_socket_in(box.net());
    const auto index = (*links::find(inside, "eth0"))->index;
    ASSERT_TRUE(inside.transact(links::add_address(index, *parse_range("10.88.0.99"))));
    EXPECT_FALSE(is_refused(ask(box.net(), kLan4, 443, SOCK_DGRAM)));
    EXPECT_TRUE(is_refused(ask(box.net(), kLan4, 443, SOCK_DGRAM, "10.88.0.99")));
}

TEST_F(NetworkEgressTest, AContainerCanNotReachWhatListensOnThisMachinesLocalhost) {
    const Server listens(host(), 6379, "127.0.0.1");
    auto& box = launch("box", {.egress = {"any"}});
    auto inside = *links::open_socket_in(box.net());
    ASSERT_TRUE(inside.transact(links::choose_own_addresses("eth0", links::Localnet::routed)));
    const auto index = (*links::find(inside, "eth0"))->index;
    // It may be refused already here; whether it is or not, nothing is reached.
    static_cast<void>(inside.transact(
        links::add_route(index, *parse_range("127.0.0.1"), parse_address(box.plan.gateway4))));
    EXPECT_TRUE(is_refused(ask(box.net(), "127.0.0.1", 6379)));
}

TEST_F(NetworkEgressTest, ForwardingIsTurnedOnForContainersAloneAndOffWithTheLast) {
    const Server listens(internet(), 443);
    ASSERT_EQ(get("/proc/sys/net/ipv4/ip_forward"), "0\n");
    auto to_wan = *links::open_socket_in(lan());
    const auto index = (*links::find(to_wan, "eth0"))->index;
    ASSERT_TRUE(to_wan.transact(
        links::add_route(index, *parse_range("198.41.0.0/24"), parse_address("192.168.77.1"))));
    auto back = *links::open_socket_in(internet());
    ASSERT_TRUE(back.transact(links::add_route(
        (*links::find(back, "eth0"))->index, *parse_range("192.168.77.0/24"), parse_address("198.41.0.1"))));
    auto& first = launch("first", {});
    auto& second = launch("second", {});
    EXPECT_EQ(get("/proc/sys/net/ipv4/ip_forward"), "1\n");
    EXPECT_TRUE(is_refused(ask(lan(), kNet4, 443))) << "this machine is no router for strangers";
    undo(first.plan);
    EXPECT_EQ(get("/proc/sys/net/ipv4/ip_forward"), "1\n");
    EXPECT_EQ(get("/proc/sys/net/ipv6/conf/all/forwarding"), "1\n");
    undo(second.plan);
    EXPECT_EQ(get("/proc/sys/net/ipv4/ip_forward"), "0\n");
    EXPECT_EQ(get("/proc/sys/net/ipv6/conf/all/forwarding"), "0\n");
    put("/proc/sys/net/ipv4/ip_forward", "1");
    EXPECT_EQ(ask(lan(), kNet4, 443), kLan4) << "and one that was a router stays one";
    auto& third = launch("third", {});
    EXPECT_EQ(ask(lan(), kNet4, 443), kLan4);
    undo(third.plan);
    EXPECT_EQ(get("/proc/sys/net/ipv4/ip_forward"), "1\n");
}

TEST_F(NetworkEgressTest, NothingIsLeftAndTheRulesOfOthersAreUntouched) {
    auto socket = *nft::open_socket();
    nft::Batch foreign("somebodys");
    foreign.add_table();
    foreign.add_chain({"input", "filter", nft::Hook::input, 0});
    foreign.add_rule("input", {nft::count()}, "mine");
    ASSERT_TRUE(foreign.commit(socket));
    auto& box = launch("box", {.publish = {"lan:25565:25565/tcp"},
                               .egress = {"any", "dns", "example.org:443/tcp"},
                               .peers = {"x:1/tcp"},
                               .dns = {"9.9.9.9"}});
    const auto words = read_guard_table();
    ASSERT_TRUE(words);
    for (const auto* word : {"box publish lan:25565:25565/tcp", "box egress any", "box egress dns",
                             "box egress example.org:443/tcp", "box peers x:1/tcp"})
        EXPECT_TRUE(std::ranges::find(*words, *word_of(word)) != words->end()) << word;
    EXPECT_TRUE(strange_rules()->empty());
    undo(box.plan);
    EXPECT_TRUE(read_guard_table()->empty());
    auto links = *links::open_socket();
    EXPECT_FALSE(*links::find(links, box.plan.veth));
    EXPECT_FALSE(*links::find(links, "guard0"));
    EXPECT_EQ(*nft::rules_of(socket, "somebodys"), std::vector<std::string>{"input: mine"});
}

TEST_F(NetworkEgressTest, ARuleOfSomebodyElseInTheTableIsSeen) {
    launch("box", {});
    auto socket = *nft::open_socket();
    nft::Batch batch(kGuardTable);
    batch.add_rule("from_container", {nft::decide(nft::Verdict::accept)}, "");
    ASSERT_TRUE(batch.commit(socket));
    EXPECT_FALSE(strange_rules()->empty());
}

TEST_F(NetworkEgressTest, AnAddressStaysTheSameOverRestarts) {
    const auto first = launch("box", {}).plan;
    launch("other", {});
    undo(first);
    const auto again = launch("box", {}).plan;
    EXPECT_EQ(again.address4, first.address4);
    EXPECT_EQ(again.address6, first.address6);
}

TEST_F(NetworkEgressTest, PlanAndMakeCostsLittle) {
    launch("warm", {});
    const auto netns = new_netns();
    const auto begin = std::chrono::steady_clock::now();
    const auto plan =
        plan_network(profile_of({.publish = {"lan:25565:25565/tcp"}, .egress = {"internet:443/tcp"}}), "box");
    const auto planned = std::chrono::steady_clock::now();
    ASSERT_TRUE(plan) << describe(plan.error());
    ASSERT_TRUE(make_network(*plan, netns.get()));
    const auto made = std::chrono::steady_clock::now();
    const auto us = [](auto span) {
        return std::chrono::duration_cast<std::chrono::microseconds>(span).count();
    };
    std::cout << "plan " << us(planned - begin) << " us, make " << us(made - planned) << " us\n";
}

}  // namespace
}  // namespace guard::launcher::lab
