#include <fmt/format.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/guard_table.h"
#include "base/split.h"
#include "base/sys.h"
#include "launcher/network.h"
#include "launcher/network_addresses.h"
#include "launcher/network_ports.h"
#include "launcher/reach_words.h"

namespace guard::launcher {
namespace {

struct MissingMode {
    NetworkMode mode;
    std::string_view name;
};
constexpr auto kMissingModes = std::to_array<MissingMode>({
    {NetworkMode::container, "container:NAME"},
    {NetworkMode::pasta, "pasta"},
    {NetworkMode::macvlan, "macvlan"},
});

std::vector<std::string> words_in(const Known<Grants<std::string>>& known) {
    const auto* const grants = value_of(known);
    if (grants == nullptr) return {};
    return {grants->all.begin(), grants->all.end()};
}

Result<void> check_mode(const Profile& profile) {
    const auto mode = profile.service.network.mode;
    const auto* const missing = std::ranges::find(kMissingModes, mode, &MissingMode::mode);
    if (missing != kMissingModes.end())
        return fail("network.mode", fmt::format("this guard can't do {} yet", missing->name),
                    "set network.mode to bridge, none or host");
    if (mode == NetworkMode::bridge && ::geteuid() != 0)
        return fail("network.mode bridge of profile " + profile.name, "it needs root",
                    "launch it with sudo, or --set network.mode=none");
    const auto& bridge = profile.service.network.bridge;
    if (bridge.empty() || bridge.size() >= IFNAMSIZ || bridge.find_first_of("/ \t:") != std::string::npos)
        return fail("network.bridge", fmt::format("\"{}\" is no name of an interface", bridge),
                    "want at most 15 letters and digits");
    return {};
}

bool host_has_ipv6() {
    return sys::read_file("/proc/sys/net/ipv6/conf/default/disable_ipv6").value_or("1\n") == "0\n";
}

std::vector<std::string> servers_in(const std::string& path) {
    std::vector<std::string> servers;
    const auto text = sys::read_file(path).value_or("");  // the lines are views of it
    for (const auto line : lines_of(text)) {
        const auto words = words_of(line);
        if (words.size() < 2 || words[0] != "nameserver") continue;
        if (const auto address = parse_address(words[1])) servers.push_back(format_address(*address));
    }
    return servers;
}

/// A nameserver on 127.0.0.1 is this machine's own: from inside that address is the container itself. What
/// systemd-resolved asks stands in a file of its own.
Result<std::vector<std::string>> hosts_nameservers() {
    for (const auto* path : {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"}) {
        auto servers = servers_in(path);
        std::erase_if(servers, [](const std::string& text) { return is_loopback(*parse_address(text)); });
        if (!servers.empty()) return servers;
    }
    return fail("network.dns host",
                "/etc/resolv.conf names no nameserver that a container can reach, only this machine's own",
                R"(name one: --set 'network.dns=["9.9.9.9"]')");
}

Result<std::vector<std::string>> nameservers_for(const Profile& profile, const NetworkPlan& plan) {
    if (std::ranges::find(plan.egress, "dns") == plan.egress.end()) return std::vector<std::string>{};
    auto servers = profile.service.network.dns;
    if (servers.empty()) servers = TRY(hosts_nameservers());
    for (const auto& server : servers)
        if (!parse_address(server)) return fail("network.dns", "\"" + server + "\" is no address");
    std::erase_if(servers, [&](const std::string& text) {
        return plan.address6.empty() && parse_address(text)->family == IpFamily::v6;
    });
    if (servers.empty()) return fail("network.dns", "only IPv6 nameservers, and network.ipv6 is off");
    return servers;
}

Result<void> give_addresses(const Profile& profile, NetworkPlan& plan) {
    const auto& network = profile.service.network;
    const auto lock = TRY(lock_network());
    const auto given = TRY(addresses_for(plan.name, network.bridge, network.address,
                                         network.ipv6 && host_has_ipv6() ? Ipv6::on : Ipv6::off));
    plan.address4 = format_address(given.own4);
    plan.gateway4 = format_address(given.gateway4);
    plan.bridge4 = format_range(given.bridge4);
    plan.prefix4 = given.bridge4.length;
    if (!given.own6) return {};
    plan.address6 = format_address(*given.own6);
    plan.gateway6 = format_address(*given.gateway6);
    plan.bridge6 = format_range(given.bridge6);
    plan.prefix6 = given.bridge6.length;
    return {};
}

ContainerReach reach_of(const NetworkPlan& plan) {
    ContainerReach reach{plan.name,   plan.veth, {*parse_address(plan.address4)}, {}, plan.publish,
                         plan.egress, plan.peers};
    if (!plan.address6.empty()) reach.addresses.push_back(*parse_address(plan.address6));
    for (const auto& server : plan.nameservers) reach.nameservers.push_back(*parse_address(server));
    return reach;
}

Result<void> check_ports(const NetworkPlan& plan) {
    for (const auto& text : plan.publish) CHECK(check_not_taken(TRY(parse_publish(text)), text));
    auto socket = TRY(nft::open_socket());
    const auto conflicts = TRY(publish_conflicts(socket, plan.name, plan.elements));
    if (conflicts.empty()) return {};
    const auto& [container, word, wanted] = conflicts.front();
    return fail("publish " + wanted, fmt::format("container {} publishes {} already", container, word),
                "guard stop " + container + ", or publish another port in front: [WHERE:]HOSTPORT:PORT");
}

std::vector<Made> what_is_made(const NetworkPlan& plan) {
    std::vector<Made> made{{Made::Kind::forwarding, "net.ipv4.ip_forward", ""}};
    if (!plan.address6.empty()) made.push_back({Made::Kind::forwarding, "net.ipv6.conf.all.forwarding", ""});
    made.push_back({Made::Kind::bridge, plan.bridge, plan.bridge4});
    made.push_back({Made::Kind::veth, plan.veth, ""});
    made.push_back({Made::Kind::nft_element, plan.name, ""});
    return made;
}

}  // namespace

Result<NetworkPlan> plan_network(const Profile& profile, const std::string& name) {
    NetworkPlan plan;
    plan.mode = profile.service.network.mode;
    plan.name = name;
    CHECK(check_mode(profile));
    if (plan.mode != NetworkMode::bridge) return plan;
    plan.bridge = profile.service.network.bridge;
    plan.veth = veth_name(name);
    plan.publish = words_in(profile.posture.network.publish);
    plan.egress = words_in(profile.posture.network.egress);
    plan.peers = words_in(profile.posture.network.peers);
    CHECK(give_addresses(profile, plan));
    plan.nameservers = TRY(nameservers_for(profile, plan));
    plan.elements = TRY(elements_for(reach_of(plan)));
    CHECK(check_ports(plan));
    plan.will_make = what_is_made(plan);
    return plan;
}

}  // namespace guard::launcher
