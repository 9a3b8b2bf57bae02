#pragma once
#include <cstdint>

#include "launcher/child.h"

/// The child's file tree: each returns 0 or an errno and says in `index` which mount it was at.
namespace guard::launcher {

struct ChildTree {
    int root = -1;       ///< the new root's mount
    int empty = -1;      ///< an empty read-only directory, for hiding
    int terminals = -1;  ///< the new devpts
    int later[64]{};     ///< mounts to be made read-only when everything stands in them
    std::size_t later_count = 0;
    std::uint32_t index = 0;
};

[[nodiscard]] int make_tree(const ChildInput& input, ChildTree& tree) noexcept;
[[nodiscard]] int close_tree(ChildTree& tree) noexcept;
[[nodiscard]] int enter_tree(const ChildTree& tree) noexcept;

}  // namespace guard::launcher
