#include "base/id_map.h"

#include "base/split.h"

namespace guard {
namespace {

using Side = std::uint32_t IdMapLine::*;

std::optional<std::uint32_t> translate(std::span<const IdMapLine> map, std::uint32_t id, Side from, Side to) {
    for (const auto& line : map)
        if (id >= line.*from && id - line.*from < line.count) return line.*to + (id - line.*from);
    return std::nullopt;
}

}  // namespace

Result<std::vector<IdMapLine>> parse_id_map(std::string_view text) {
    std::vector<IdMapLine> map;
    for (const auto line : lines_of(text)) {
        const auto words = words_of(line);
        if (words.size() != 3) return fail("read an id map", "line " + std::string(line));
        const auto inside = number_of<std::uint32_t>(words[0]);
        const auto outside = number_of<std::uint32_t>(words[1]);
        const auto count = number_of<std::uint32_t>(words[2]);
        if (!inside || !outside || !count) return fail("read an id map", "line " + std::string(line));
        map.push_back({*inside, *outside, *count});
    }
    return map;
}

std::optional<std::uint32_t> inside_id(std::span<const IdMapLine> map, std::uint32_t outside) {
    return translate(map, outside, &IdMapLine::outside, &IdMapLine::inside);
}

std::optional<std::uint32_t> outside_id(std::span<const IdMapLine> map, std::uint32_t inside) {
    return translate(map, inside, &IdMapLine::inside, &IdMapLine::outside);
}

}  // namespace guard
