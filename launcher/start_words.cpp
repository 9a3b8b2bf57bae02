#include "launcher/start_words.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/links.h"
#include "base/units.h"
#include "launcher/reach_words.h"
#include "posture/capability.h"

namespace guard::launcher {
namespace {

std::string network_in_words(NetworkMode mode) {
    if (mode == NetworkMode::none) return "no network";
    return mode == NetworkMode::host ? "the network of this machine" : "own network";
}

std::string rights_in_words(std::uint64_t capabilities) {
    if (capabilities == 0) return "no rights on this machine";
    std::string names;
    for (const auto& row : kCapabilities)
        if ((capabilities >> static_cast<unsigned>(row.number) & 1U) != 0)
            names += (names.empty() ? "" : " ") + std::string(row.name);
    return names;
}

std::optional<std::uint64_t> limit(const LaunchPlan& plan, const std::string& name) {
    const auto* const limits = value_of(plan.expected.limits);
    if (limits == nullptr) return std::nullopt;
    const auto found = limits->find(name);
    return found == limits->end() ? std::nullopt : found->second.most;
}

std::string cores_in_words(std::optional<std::uint64_t> microcores) {
    constexpr double kCore = 1e6;
    if (!microcores) return "all cores";
    return fmt::format("{} core{}", static_cast<double>(*microcores) / kCore,
                       *microcores == 1'000'000 ? "" : "s");
}

std::string ports_in_words(const PortRange& ports) {
    return ports.first == ports.last ? fmt::format("{}", ports.first)
                                     : fmt::format("{}-{}", ports.first, ports.last);
}

std::string with_port(const IpAddress& address, const PublishWord& word) {
    const auto text = format_address(address);
    return fmt::format("{}:{}{}", address.family == IpFamily::v6 ? "[" + text + "]" : text,
                       ports_in_words(word.outer), word.protocol == Protocol::udp ? "/udp" : "");
}

std::vector<std::string> lines_for(const PublishWord& word, const std::optional<IpAddress>& home) {
    const auto at_home = home ? with_port(*home, word) : "port " + ports_in_words(word.outer);
    switch (word.at) {
        case PublishWord::At::localhost:
            return {"here        " + with_port(IpAddress{IpFamily::v4, {127, 0, 0, 1}}, word)};
        case PublishWord::At::address: return {"there       " + with_port(word.address, word)};
        case PublishWord::At::any:
            return {"everywhere  " + at_home + " and every other address of this machine"};
        case PublishWord::At::lan: break;
    }
    if (!home) return {"at home     " + at_home + ", once this machine has a private address"};
    return {"at home     " + at_home,
            fmt::format("for friends forward {} {} on the router to {}, then give them your address",
                        word.protocol == Protocol::udp ? "UDP" : "TCP", ports_in_words(word.outer),
                        format_address(*home))};
}

// The address a packet to the internet would leave from; none is sent. udp(7)
std::optional<IpAddress> source_of_default_route() {
    const UniqueFd probe(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in to{AF_INET, htons(53), {htonl(0x08080808)}, {}};
    if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0)
        return std::nullopt;
    socklen_t size = sizeof to;
    if (::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&to), &size) < 0) return std::nullopt;
    IpAddress address{IpFamily::v4, {}};
    std::memcpy(address.bytes.data(), &to.sin_addr, sizeof to.sin_addr);
    return address;
}

}  // namespace

std::string profile_line(const Profile& profile, const std::string& data) {
    constexpr std::size_t kDigits = 6;
    if (profile.sources.empty()) return fmt::format("profile {}, data {}", profile.name, data);
    const auto& file = profile.sources.front();
    const auto parents = std::ranges::count_if(profile.sources, [&file](const SourceFile& source) {
        return &source != &file && source.path.find("/groups/") == std::string::npos;
    });
    return fmt::format("profile {} {} ({}{}), data {}", profile.name, file.digest.substr(0, kDigits),
                       file.path.substr(file.path.rfind('/') + 1),
                       parents == 0 ? "" : fmt::format(" and {} parent{}", parents, parents == 1 ? "" : "s"),
                       data);
}

std::string started_line(const LaunchPlan& plan, std::chrono::nanoseconds took) {
    const auto memory = limit(plan, "memory");
    return fmt::format("started in {} ms: {}, {}, {}, {}, {}",
                       std::chrono::ceil<std::chrono::milliseconds>(took).count(),
                       plan.own_users ? "own users" : "the users of this machine",
                       network_in_words(plan.network.mode), rights_in_words(plan.payload.bounding),
                       memory ? format_size(*memory) : "all memory", cores_in_words(limit(plan, "cpus")));
}

std::vector<std::string> reach_lines(const NetworkPlan& plan, const std::optional<IpAddress>& home) {
    std::vector<std::string> lines;
    for (const auto& text : plan.publish)
        if (const auto word = parse_publish(text))
            for (auto& line : lines_for(*word, home)) lines.push_back(std::move(line));
    return lines;
}

std::optional<IpAddress> home_address(const NetworkPlan& plan) {
    if (const auto source = source_of_default_route(); source && is_private(*source)) return source;
    auto socket = links::open_socket();
    if (!socket) return std::nullopt;
    const auto bridge = parse_range(plan.bridge4);
    const IpRange link_local{{IpFamily::v4, {169, 254}}, 16};
    for (const auto& one : links::own_addresses(*socket).value_or(std::vector<IpAddress>{}))
        if (one.family == IpFamily::v4 && is_private(one) && !is_loopback(one) &&
            !contains(link_local, one) && !(bridge && contains(*bridge, one)))
            return one;
    return std::nullopt;
}

}  // namespace guard::launcher
