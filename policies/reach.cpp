#include "policies/reach.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/ip_address.h"
#include "base/split.h"
#include "policies/nearest.h"

namespace guard::policies {
namespace {

constexpr auto kPlaces = std::to_array<std::string_view>({"localhost", "lan", "any"});
constexpr auto kTargets = std::to_array<std::string_view>({"dns", "internet", "lan", "host", "any"});
constexpr std::string_view kPublishForm = "want [WHERE:][HOSTPORT:]PORT[/tcp|udp], as in \"lan:25565/tcp\"";
constexpr std::string_view kEgressForm = "want TARGET[:PORT][/tcp|udp], as in \"internet:443/tcp\"";

template <std::size_t N>
std::vector<std::string_view> all_of(const std::array<std::string_view, N>& words) {
    return {words.begin(), words.end()};
}

bool letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Takes "/tcp" or "/udp" off the end; "" where there is neither.
std::string_view take_protocol(std::string_view& text) {
    for (const std::string_view protocol : {"tcp", "udp"}) {
        if (!text.ends_with(protocol) || text.size() < 4 || text[text.size() - 4] != '/') continue;
        text.remove_suffix(4);
        return protocol;
    }
    return "";
}

// "[fd00::7]:53" -> "fd00::7", leaving ":53". Nothing where no bracket opens.
std::optional<std::string_view> take_bracketed(std::string_view& text) {
    if (!text.starts_with('[')) return std::nullopt;
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const auto inside = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    return inside;
}

std::string format_target(const IpRange& range, bool with_port) {
    const bool single = range.length == range.address.size() * 8;
    auto text = single ? format_address(range.address) : format_range(range);
    return with_port && range.address.family == IpFamily::v6 ? "[" + text + "]" : text;
}

Result<std::string> publish_place(std::string_view text, const std::string& whole) {
    if (std::ranges::find(kPlaces, text) != kPlaces.end()) return std::string(text);
    if (const auto address = parse_address(text))
        return address->family == IpFamily::v6 ? "[" + format_address(*address) + "]"
                                               : format_address(*address);
    auto fix =
        did_you_mean(text, all_of(kPlaces), "where: localhost, lan, any or an address, IPv6 in brackets");
    return fail(whole, fmt::format("names no place to publish at: \"{}\"", text), std::move(fix));
}

// A target without its port, as the language writes it.
Result<std::string> egress_target(std::string_view text, const std::string& whole, bool with_port) {
    if (std::ranges::find(kTargets, text) != kTargets.end()) return std::string(text);
    if (const auto range = parse_range(text)) return format_target(*range, with_port);
    if (text.find('/') != std::string_view::npos)
        return fail(whole, "is not a range of addresses",
                    "the bits behind the length must be 0: 192.168.0.0/16");
    std::string name(text);
    std::ranges::transform(name, name.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (is_dns_name(name)) return name;
    return fail(
        whole, fmt::format("names no place to go: \"{}\"", text),
        did_you_mean(text, all_of(kTargets),
                     "targets: dns, internet, lan, host, any, a name with a dot, an address, a range"));
}

}  // namespace

std::optional<PortRange> parse_ports(std::string_view text) {
    const auto port = [](std::string_view digits) -> std::optional<std::uint16_t> {
        if (digits.empty() || digits.front() == '0' || digits.front() == '-') return std::nullopt;
        return number_of<std::uint16_t>(digits);
    };
    const auto dash = text.find('-');
    const auto first = port(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : port(text.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    return PortRange{*first, *last};
}

std::string format_ports(const PortRange& ports) {
    if (ports.first == ports.last) return std::to_string(ports.first);
    return fmt::format("{}-{}", ports.first, ports.last);
}

Result<Published> parse_publish(std::string_view text) {
    const std::string whole(text);
    const auto wrong = [&whole](std::string reason) {
        return fail(whole, std::move(reason), std::string(kPublishForm));
    };
    Published published{"localhost", {}, {}, "tcp"};
    if (const auto protocol = take_protocol(text); !protocol.empty()) published.protocol = protocol;
    std::optional<std::string_view> where = take_bracketed(text);
    if (where && !text.starts_with(':')) return wrong("is not a port to publish");
    if (where) text.remove_prefix(1);
    auto parts = split(text, ':');
    if (text.ends_with(':')) parts.emplace_back();
    // "lan:25565" names a place, "8080:80" a port.
    const bool named = !where && parts.size() > 1 && !parse_ports(parts.front());
    if (!where && (named || parts.size() == 3)) {
        where = parts.front();
        parts.erase(parts.begin());
    }
    if (parts.empty() || parts.size() > 2) return wrong("is not a port to publish");
    if (where) published.where = TRY(publish_place(*where, whole));
    const auto outer = parse_ports(parts.front());
    const auto inner = parse_ports(parts.back());
    if (!outer || !inner) return wrong("is not a port to publish: ports go from 1 to 65535");
    if (outer->last - outer->first != inner->last - inner->first)
        return wrong("has more ports on one side than on the other");
    published.outer = *outer;
    published.inner = *inner;
    return published;
}

std::string format_publish(const Published& published) {
    return fmt::format("{}:{}:{}/{}", published.where, format_ports(published.outer),
                       format_ports(published.inner), published.protocol);
}

Result<std::string> parse_listen(std::string_view text) {
    const std::string whole(text);
    const auto protocol = take_protocol(text);
    const auto ports = parse_ports(text);
    if (!ports) return fail(whole, "is not a port to listen on", "want PORT[/tcp|udp], as in \"5432/tcp\"");
    return fmt::format("{}/{}", format_ports(*ports), protocol.empty() ? "tcp" : protocol);
}

Result<std::string> parse_egress(std::string_view text) {
    const std::string whole(text);
    const auto protocol = take_protocol(text);
    std::string_view target = text, port;
    if (const auto bracketed = take_bracketed(text)) {
        target = *bracketed;
        port = text;
        if (!port.empty() && !port.starts_with(':'))
            return fail(whole, "names no place to go", std::string(kEgressForm));
    } else if (const auto colon = text.find(':');
               colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        target = text.substr(0, colon);
        port = text.substr(colon);
    }
    auto made = TRY(egress_target(target, whole, !port.empty()));
    if (made == "dns" && (!port.empty() || !protocol.empty()))
        return fail(whole, "gives dns a port", "write \"dns\": guard knows the port");
    if (port.empty()) return protocol.empty() ? made : fmt::format("{}/{}", made, protocol);
    const auto ports = parse_ports(port.substr(1));
    if (!ports) return fail(whole, "has no port from 1 to 65535 behind the colon", std::string(kEgressForm));
    return fmt::format("{}:{}/{}", made, format_ports(*ports), protocol.empty() ? "tcp" : protocol);
}

Result<std::string> parse_peer(std::string_view text) {
    const std::string whole(text);
    const auto protocol = take_protocol(text);
    const auto colon = text.find(':');
    const auto ports = colon == std::string_view::npos ? std::nullopt : parse_ports(text.substr(colon + 1));
    if (!ports || !is_container_name(text.substr(0, colon)))
        return fail(whole, "is not a container and a port",
                    "want NAME:PORT[/tcp|udp], as in \"portfolio:5432/tcp\"");
    return fmt::format("{}:{}/{}", text.substr(0, colon), format_ports(*ports),
                       protocol.empty() ? "tcp" : protocol);
}

bool is_container_name(std::string_view text) {
    constexpr std::size_t kMost = 63;
    return !text.empty() && text.size() <= kMost && letter_or_digit(text.front()) &&
           std::ranges::all_of(text, [](char c) { return letter_or_digit(c) || c == '-'; });
}

bool is_dns_name(std::string_view text) {
    constexpr std::size_t kMostName = 253, kMostLabel = 63;
    if (text.ends_with('.')) text.remove_suffix(1);
    const auto labels = split(text, '.');
    if (text.empty() || text.size() > kMostName || text.ends_with('.') || labels.size() < 2) return false;
    const auto digits = [](std::string_view label) {
        return std::ranges::all_of(label, [](char c) { return c >= '0' && c <= '9'; });
    };
    // "10.0.0" is a mistyped address, not a name.
    if (digits(labels.back())) return false;
    return std::ranges::all_of(labels, [](std::string_view label) {
        const auto inner = [](char c) { return letter_or_digit(c) || c == '-' || c == '_'; };
        return !label.empty() && label.size() <= kMostLabel && label.front() != '-' && label.back() != '-' &&
               std::ranges::all_of(label, inner);
    });
}

}  // namespace guard::policies
