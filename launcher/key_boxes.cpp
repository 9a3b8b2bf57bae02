#include "launcher/key_boxes.h"

#include <algorithm>

namespace guard::launcher {
namespace {

bool below(const std::string& one, const std::string& other) {
    return std::ranges::lexicographical_compare(one, other, [](char a, char b) {
        return static_cast<unsigned char>(a) < static_cast<unsigned char>(b);
    });
}

/// The next number, of bytes in network order; the caller knows that there is one.
std::string after(std::string number) {
    for (auto byte = number.rbegin(); byte != number.rend(); ++byte)
        if (++*byte != 0) break;
    return number;
}
std::string before(std::string number) {
    for (auto byte = number.rbegin(); byte != number.rend(); ++byte)
        if ((*byte)-- != 0) break;
    return number;
}

/// `box` without `hole`: along each side what is left and right of the hole, then on within it.
std::vector<KeyBox> without(KeyBox box, const KeyBox& hole) {
    if (!overlap(box, hole)) return {std::move(box)};
    std::vector<KeyBox> rest;
    for (std::size_t side = 0; side < box.size(); ++side) {
        if (below(box[side].first, hole[side].first)) {
            rest.push_back(box);
            rest.back()[side].last = before(hole[side].first);
            box[side].first = hole[side].first;
        }
        if (below(hole[side].last, box[side].last)) {
            rest.push_back(box);
            rest.back()[side].first = after(hole[side].last);
            box[side].last = hole[side].last;
        }
    }
    return rest;
}

}  // namespace

bool overlap(const KeyBox& one, const KeyBox& other) {
    for (std::size_t side = 0; side < one.size(); ++side)
        if (below(one[side].last, other[side].first) || below(other[side].last, one[side].first))
            return false;
    return true;
}

std::vector<KeyBox> uncovered(const KeyBox& box, const std::vector<KeyBox>& taken) {
    std::vector<KeyBox> rest{box};
    for (const auto& hole : taken) {
        std::vector<KeyBox> smaller;
        for (auto& piece : rest)
            std::ranges::move(without(std::move(piece), hole), std::back_inserter(smaller));
        rest = std::move(smaller);
    }
    return rest;
}

}  // namespace guard::launcher
