#pragma once
#include <vector>

#include "review/side.h"

namespace guard::review {

/// One profile on both sides; null on the side where it is not.
struct Pair {
    const Member* base = nullptr;
    const Member* head = nullptr;
};

/// Which profile of the head is which of the base: by path, then by content, then by name; where each side
/// has just one, they are a pair whatever their names. In the order of the head; what was taken away comes
/// last.
[[nodiscard]] std::vector<Pair> pairs_of(const Side& base, const Side& head);

}  // namespace guard::review
