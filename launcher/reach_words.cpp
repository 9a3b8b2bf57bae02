#include "launcher/reach_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "base/split.h"

namespace guard::launcher {
namespace {

struct AtRow {
    std::string_view name;
    PublishWord::At at;
};
constexpr auto kAt = std::to_array<AtRow>({
    {"localhost", PublishWord::At::localhost},
    {"lan", PublishWord::At::lan},
    {"any", PublishWord::At::any},
});
struct ToRow {
    std::string_view name;
    EgressWord::To to;
};
constexpr auto kTo = std::to_array<ToRow>({
    {"dns", EgressWord::To::dns},
    {"internet", EgressWord::To::internet},
    {"lan", EgressWord::To::lan},
    {"host", EgressWord::To::host},
    {"any", EgressWord::To::any},
});
struct ProtocolRow {
    std::string_view ending;
    Protocol protocol;
};
constexpr auto kProtocols = std::to_array<ProtocolRow>({{"/tcp", Protocol::tcp}, {"/udp", Protocol::udp}});

/// Takes "/tcp" or "/udp" off the end.
std::optional<Protocol> take_protocol(std::string_view& word) {
    for (const auto& row : kProtocols) {
        if (!word.ends_with(row.ending)) continue;
        word.remove_suffix(row.ending.size());
        return row.protocol;
    }
    return std::nullopt;
}

std::optional<PortRange> ports_of(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = number_of<std::uint16_t>(text.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : number_of<std::uint16_t>(text.substr(dash + 1));
    if (!first || !last || *first == 0 || *last < *first) return std::nullopt;
    return PortRange{*first, *last};
}
constexpr std::string_view kPortHelp = "want a port from 1 to 65535 or a range as 7000-7009";

/// Splits at ":" but not inside brackets, which an IPv6 address stands in.
std::vector<std::string_view> parts_of(std::string_view word) {
    std::vector<std::string_view> parts;
    bool inside = false;
    std::size_t begin = 0;
    for (std::size_t at = 0; at < word.size(); ++at) {
        if (word[at] == '[') inside = true;
        if (word[at] == ']') inside = false;
        if (word[at] != ':' || inside) continue;
        parts.push_back(word.substr(begin, at - begin));
        begin = at + 1;
    }
    parts.push_back(word.substr(begin));
    return parts;
}

std::string_view without_brackets(std::string_view text) {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') return text.substr(1, text.size() - 2);
    return text;
}

Result<void> read_where(std::string_view text, PublishWord& word) {
    const auto* const row = std::ranges::find(kAt, text, &AtRow::name);
    if (row != kAt.end()) {
        word.at = row->at;
        return {};
    }
    const auto address = parse_address(without_brackets(text));
    if (!address)
        return fail(fmt::format("\"{}\"", text), "want localhost, lan, any or an address of this machine");
    word.at = PublishWord::At::address;
    word.address = *address;
    return {};
}

bool is_label(std::string_view label) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    };
    return !label.empty() && label.size() <= 63 && std::ranges::all_of(label, fits);
}
/// Also a number alone is a label, but nobody's name ends in one, and "10.0.0.300" is a mistake. RFC 1123
bool is_name(std::string_view name) {
    const auto labels = split(name, '.');
    return name.size() <= 253 && !labels.empty() && std::ranges::all_of(labels, is_label) &&
           !number_of<std::uint64_t>(labels.back());
}

Result<void> read_target(std::string_view text, EgressWord& word) {
    const auto* const row = std::ranges::find(kTo, text, &ToRow::name);
    if (row != kTo.end()) {
        word.to = row->to;
        return {};
    }
    if (const auto range = parse_range(text)) {
        word.to = EgressWord::To::range;
        word.range = *range;
        return {};
    }
    if (!is_name(text))
        return fail(fmt::format("\"{}\"", text),
                    "want dns, internet, lan, host, any, a name, an address or a range as 192.168.1.0/24");
    word.to = EgressWord::To::name;
    word.name = text;
    return {};
}

struct TargetAndPort {
    std::string target;
    std::string_view port;
    bool has_port = false;
};
/// IPv6 with a port stands in brackets, a range's length inside or behind them.
TargetAndPort split_target(std::string_view word) {
    const auto close = word.starts_with('[') ? word.find(']') : std::string_view::npos;
    if (close == std::string_view::npos && std::ranges::count(word, ':') > 1)
        return {std::string(word), "", false};
    const auto colon = word.find(':', close == std::string_view::npos ? 0 : close);
    TargetAndPort parts{std::string(word.substr(0, colon)), "", colon != std::string_view::npos};
    if (parts.has_port) parts.port = word.substr(colon + 1);
    if (close != std::string_view::npos)
        std::erase_if(parts.target, [](char c) { return c == '[' || c == ']'; });
    return parts;
}

std::string format_ports(const PortRange& ports) {
    return ports.first == ports.last ? std::to_string(ports.first)
                                     : fmt::format("{}-{}", ports.first, ports.last);
}

}  // namespace

Result<PublishWord> parse_publish(std::string_view text) {
    const auto attempt = fmt::format("publish \"{}\"", text);
    PublishWord word;
    word.protocol = take_protocol(text).value_or(Protocol::tcp);
    auto parts = parts_of(text);
    const auto inner = ports_of(parts.back());
    if (!inner) return fail(attempt, std::string(kPortHelp));
    word.inner = word.outer = *inner;
    parts.pop_back();
    // "8080:80" and "lan:80" look alike until the first part is read: a port is all digits.
    if (!parts.empty() && ports_of(parts.back())) {
        word.outer = *ports_of(parts.back());
        parts.pop_back();
    }
    if (parts.size() > 1)
        return fail(attempt, "want [WHERE:][HOSTPORT:]PORT[/tcp|udp]; an IPv6 address stands in []");
    if (!parts.empty()) CHECK(read_where(parts.front(), word));
    if (word.outer.last - word.outer.first != word.inner.last - word.inner.first)
        return fail(attempt, "the two ranges of ports are not equally long");
    return word;
}

std::string format_publish(const PublishWord& word) {
    const auto* const row = std::ranges::find(kAt, word.at, &AtRow::at);
    std::string where = row != kAt.end() ? std::string(row->name) : format_address(word.address);
    if (row == kAt.end() && word.address.family == IpFamily::v6) where = "[" + where + "]";
    return fmt::format("{}:{}:{}/{}", where, format_ports(word.outer), format_ports(word.inner),
                       word.protocol == Protocol::udp ? "udp" : "tcp");
}

Result<EgressWord> parse_egress(std::string_view text) {
    const auto attempt = fmt::format("egress \"{}\"", text);
    EgressWord word;
    word.protocol = take_protocol(text).value_or(Protocol::any);
    const auto parts = split_target(text);
    CHECK(read_target(parts.target, word));
    if (!parts.has_port) return word;
    word.ports = ports_of(parts.port);
    if (!word.ports) return fail(attempt, std::string(kPortHelp));
    return word;
}

Result<PeerWord> parse_peer(std::string_view text) {
    const auto attempt = fmt::format("peers \"{}\"", text);
    PeerWord word;
    word.protocol = take_protocol(text).value_or(Protocol::tcp);
    const auto colon = text.find(':');
    const auto ports = colon == std::string_view::npos ? std::nullopt : ports_of(text.substr(colon + 1));
    if (!ports) return fail(attempt, "want CONTAINER:PORT[/tcp|udp]");
    word.container = text.substr(0, colon);
    word.ports = *ports;
    if (!is_label(word.container)) return fail(attempt, "want the name of a container before the \":\"");
    return word;
}

}  // namespace guard::launcher
