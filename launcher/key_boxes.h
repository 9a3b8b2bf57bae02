#pragma once
#include <string>
#include <vector>

namespace guard::launcher {

/// One field of a set's key: from `first` to `last`, bytes in network order, both of the field's size.
struct FieldRange {
    std::string first, last;
    bool operator==(const FieldRange&) const = default;
};
/// A key of ranges: a box with as many sides as the key has fields.
using KeyBox = std::vector<FieldRange>;

/// What of `box` no box in `taken` covers, as boxes that do not overlap. The kernel takes no element that
/// overlaps another in one set, while the words of a profile may ("any", "9.9.9.9:53/udp").
[[nodiscard]] std::vector<KeyBox> uncovered(const KeyBox& box, const std::vector<KeyBox>& taken);
[[nodiscard]] bool overlap(const KeyBox& one, const KeyBox& other);

}  // namespace guard::launcher
