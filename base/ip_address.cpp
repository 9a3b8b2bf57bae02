#include "base/ip_address.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "base/special_ranges.h"

namespace guard {

std::optional<IpAddress> parse_address(std::string_view text) {
    const std::string terminated(text);
    IpAddress address{text.contains(':') ? IpFamily::v6 : IpFamily::v4, {}};
    const int family = address.family == IpFamily::v6 ? AF_INET6 : AF_INET;
    if (::inet_pton(family, terminated.c_str(), address.bytes.data()) != 1) return std::nullopt;
    return address;
}

std::string format_address(const IpAddress& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.family == IpFamily::v6 ? AF_INET6 : AF_INET, address.bytes.data(), text.data(),
                text.size());
    return text.data();
}

std::optional<IpRange> parse_range(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    IpRange range{*address, static_cast<unsigned>(address->size() * 8)};
    if (slash == std::string_view::npos) return range;
    const auto digits = text.substr(slash + 1);
    unsigned length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (digits.empty() || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    if (length > range.length) return std::nullopt;
    range.length = length;
    for (std::size_t bit = length; bit < address->size() * 8; ++bit)
        if ((address->bytes.at(bit / 8) >> (7 - bit % 8) & 1) != 0) return std::nullopt;
    return range;
}

std::string format_range(const IpRange& range) {
    const auto text = format_address(range.address);
    return range.length == range.address.size() * 8 ? text : text + "/" + std::to_string(range.length);
}

IpAddress last_of(const IpRange& range) {
    auto last = range.address;
    for (std::size_t bit = range.length; bit < last.size() * 8; ++bit)
        last.bytes.at(bit / 8) |= static_cast<std::uint8_t>(1U << (7 - bit % 8));
    return last;
}

bool contains(const IpRange& range, const IpAddress& address) {
    return address.family == range.address.family && range.address <= address && address <= last_of(range);
}

bool overlap(const IpRange& one, const IpRange& other) {
    return contains(one, other.address) || contains(other, one.address);
}

bool is_private(const IpAddress& address) {
    return std::ranges::any_of(kSpecialRanges,
                               [&](std::string_view text) { return contains(*parse_range(text), address); });
}

bool is_loopback(const IpAddress& address) {
    static const auto four = *parse_range("127.0.0.0/8");
    static const auto six = *parse_range("::1");
    return contains(four, address) || contains(six, address);
}

}  // namespace guard
