#include "base/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace guard {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};
constexpr auto kSizes = std::to_array<Unit>(
    {{"B", 1}, {"KiB", 1ULL << 10U}, {"MiB", 1ULL << 20U}, {"GiB", 1ULL << 30U}, {"TiB", 1ULL << 40U}});
constexpr auto kDurations =
    std::to_array<Unit>({{"ms", 1}, {"s", 1000}, {"min", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}});

struct Quantity {
    std::uint64_t number;
    std::string_view unit;
};

Result<Quantity> split(std::string_view text, std::string_view what) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc::result_out_of_range)
        return fail(std::string(text), fmt::format("is too large a {}", what));
    if (error != std::errc{}) return fail(std::string(text), fmt::format("is not a {}", what));
    return Quantity{number, text.substr(static_cast<std::size_t>(end - text.data()))};
}

template <std::size_t N>
Result<std::uint64_t> scaled(std::string_view text, const Quantity& quantity,
                             const std::array<Unit, N>& units, std::string_view what,
                             const std::string& fix) {
    const auto row = std::ranges::find(units, quantity.unit, &Unit::name);
    if (row == units.end()) return fail(std::string(text), fmt::format("is not a {}", what), fix);
    if (quantity.number > std::numeric_limits<std::int64_t>::max() / row->factor)
        return fail(std::string(text), fmt::format("is too large a {}", what));
    return quantity.number * row->factor;
}

// What somebody means who writes 2G, 2GB, 2g or 2gib.
std::string right_spelling(const Quantity& quantity) {
    for (const auto& unit : kSizes) {
        const auto first = static_cast<char>(unit.name.front() | 0x20);
        if (quantity.unit.empty() || static_cast<char>(quantity.unit.front() | 0x20) != first) continue;
        if (unit.factor == 1) return fmt::format("write \"{}B\"", quantity.number);
        const auto power = (&unit - kSizes.data());
        return fmt::format("write \"{}{}\" ({} x 1024^{} bytes)", quantity.number, unit.name, quantity.number,
                           power);
    }
    return "units are B, KiB, MiB, GiB and TiB";
}

}  // namespace

Result<std::uint64_t> parse_size(std::string_view text) {
    const auto quantity = TRY(split(text, "size"));
    if (quantity.unit.empty())
        return fail(std::string(text), "is not a size",
                    fmt::format("write \"{}MiB\", or {} without quotes for bytes", text, text));
    return scaled(text, quantity, kSizes, "size", right_spelling(quantity));
}

std::string format_size(std::uint64_t bytes) {
    const auto* unit = &kSizes.front();
    for (const auto& row : kSizes)
        if (bytes >= row.factor) unit = &row;
    if (bytes % unit->factor == 0) return fmt::format("{} {}", bytes / unit->factor, unit->name);
    return fmt::format("{:.1f} {}", static_cast<double>(bytes) / static_cast<double>(unit->factor),
                       unit->name);
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto quantity = TRY(split(text, "duration"));
    const auto fix = quantity.unit.empty() ? fmt::format("write \"{}s\"; units are ms, s, min, h and d", text)
                                           : std::string("units are ms, s, min, h and d");
    return std::chrono::milliseconds(TRY(scaled(text, quantity, kDurations, "duration", fix)));
}

std::string format_duration(std::chrono::milliseconds duration) {
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0));
    const auto* unit = &kDurations.front();
    for (const auto& row : kDurations)
        if (count % row.factor == 0 && count >= row.factor && (row.factor <= 1000 || count > 90'000))
            unit = &row;
    return fmt::format("{} {}", count / unit->factor, unit->name);
}

std::string span_in_words(std::chrono::seconds span) {
    struct Unit {
        std::int64_t seconds;
        std::string_view name;
    };
    constexpr std::array<Unit, 4> kUnits{{{86'400, "d"}, {3'600, "h"}, {60, "min"}, {1, "s"}}};
    auto rest = span.count();
    for (std::size_t i = 0; i + 1 < kUnits.size(); ++i) {
        const auto& unit = kUnits.at(i);
        const auto& next = kUnits.at(i + 1);
        if (rest < unit.seconds) continue;
        const auto more = rest % unit.seconds / next.seconds;
        return more == 0 ? fmt::format("{} {}", rest / unit.seconds, unit.name)
                         : fmt::format("{} {} {} {}", rest / unit.seconds, unit.name, more, next.name);
    }
    return fmt::format("{} s", rest);
}

}  // namespace guard
