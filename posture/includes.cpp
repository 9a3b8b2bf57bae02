#include "posture/includes.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ip_address.h"
#include "base/split.h"

namespace guard {
namespace {

struct Ports {
    unsigned first = 0, last = 65'535;
};

std::optional<Ports> ports_of(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = number_of<unsigned>(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_of<unsigned>(text.substr(dash + 1));
    if (!first || !last) return std::nullopt;
    return Ports{*first, *last};
}

bool holds(const Ports& outer, const Ports& inner) {
    return outer.first <= inner.first && inner.last <= outer.last;
}

// "TARGET", "TARGET:PORTS/PROTOCOL"; what is left out is every port, either protocol.
struct Endpoint {
    std::string_view target, protocol;
    Ports ports;
};
Endpoint endpoint_of(std::string_view text) {
    Endpoint endpoint{text, "", {}};
    for (const std::string_view protocol : {"tcp", "udp"})
        if (text.ends_with(protocol) && text.size() > 3 && text[text.size() - 4] == '/') {
            endpoint.protocol = protocol;
            endpoint.target = text.substr(0, text.size() - 4);
        }
    const auto colon = endpoint.target.rfind(':');
    const auto ports = colon == std::string_view::npos ? ports_of(endpoint.target)
                                                       : ports_of(endpoint.target.substr(colon + 1));
    if (!ports || endpoint.protocol.empty()) return endpoint;
    endpoint.ports = *ports;
    endpoint.target = colon == std::string_view::npos ? std::string_view() : endpoint.target.substr(0, colon);
    return endpoint;
}

bool same_way(const Endpoint& outer, const Endpoint& inner) {
    return (outer.protocol.empty() || outer.protocol == inner.protocol) && holds(outer.ports, inner.ports);
}

// Each audience holds those before it.
constexpr std::array<std::string_view, 3> kAudiences{"localhost", "lan", "any"};

bool audience_holds(std::string_view outer, std::string_view inner) {
    if (outer == inner || outer == "any") return true;
    const auto* const wide = std::ranges::find(kAudiences, outer);
    const auto* const narrow = std::ranges::find(kAudiences, inner);
    return wide != kAudiences.end() && narrow != kAudiences.end() && narrow < wide;
}

// "WHERE:OUTER:INNER/PROTOCOL": ports inside that the same ports outside lead to.
bool publish_holds(std::string_view outer, std::string_view inner) {
    const auto one = endpoint_of(outer);
    const auto other = endpoint_of(inner);
    const auto cut = [](const Endpoint& whole) {
        const auto colon = whole.target.rfind(':');
        return std::pair{whole.target.substr(0, colon), colon == std::string_view::npos
                                                            ? std::nullopt
                                                            : ports_of(whole.target.substr(colon + 1))};
    };
    const auto [where, outside] = cut(one);
    const auto [other_where, other_outside] = cut(other);
    if (!outside || !other_outside || one.protocol != other.protocol) return false;
    return audience_holds(where, other_where) && holds(*outside, *other_outside) &&
           holds(one.ports, other.ports) &&
           one.ports.first - outside->first == other.ports.first - other_outside->first;
}

std::optional<IpRange> range_of(std::string_view target) {
    if (target.starts_with('[') && target.ends_with(']')) target = target.substr(1, target.size() - 2);
    return parse_range(target);
}

// "10.0.0.0/8" holds "10.1.2.3".
bool range_holds(std::string_view outer, std::string_view inner) {
    const auto one = range_of(outer);
    const auto other = range_of(inner);
    return one && other && one->length <= other->length && contains(*one, other->address);
}

bool egress_holds(std::string_view outer, std::string_view inner) {
    const auto one = endpoint_of(outer);
    const auto other = endpoint_of(inner);
    const bool reaches =
        one.target == other.target || one.target == "any" || range_holds(one.target, other.target);
    return reaches && same_way(one, other);
}

bool port_holds(std::string_view outer, std::string_view inner) {
    const auto one = endpoint_of(outer);
    const auto other = endpoint_of(inner);
    return one.target == other.target && same_way(one, other);
}

bool path_holds(std::string_view outer, std::string_view inner) {
    if (outer == "/") return true;
    return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '/');
}

// "/dev/dri/renderD128:rw"
bool device_holds(std::string_view outer, std::string_view inner) {
    const auto colon = outer.rfind(':');
    const auto other = inner.rfind(':');
    if (colon == std::string_view::npos || outer.substr(0, colon) != inner.substr(0, other)) return false;
    return other != std::string_view::npos && std::ranges::all_of(inner.substr(other + 1), [&](char way) {
               return outer.substr(colon + 1).find(way) != std::string_view::npos;
           });
}

struct OrderRow {
    std::string_view field;
    bool (*holds)(std::string_view outer, std::string_view inner);
};
constexpr auto kOrders = std::to_array<OrderRow>({
    {"network.publish", publish_holds},
    {"network.egress", egress_holds},
    {"network.listen", port_holds},
    {"network.peers", port_holds},
    {"landlock.read", path_holds},
    {"landlock.write", path_holds},
    {"landlock.execute", path_holds},
    {"mounts.revealed", path_holds},
    {"devices", device_holds},
});

}  // namespace

bool includes_right(std::string_view field, std::string_view outer, std::string_view inner) {
    if (outer == inner) return true;
    const auto* const row = std::ranges::find(kOrders, field, &OrderRow::field);
    return row != kOrders.end() && row->holds(outer, inner);
}

}  // namespace guard
