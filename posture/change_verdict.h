#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace guard {

/// What a change does to what is allowed, over all profiles.
enum class Access : std::uint8_t {
    same,     ///< proved: nothing is allowed, refused or limited otherwise
    no_more,  ///< proved: whatever the head allows, the base allowed
    more,     ///< a counterexample is there
    unknown,  ///< something could not be compared
};
[[nodiscard]] constexpr std::string_view access_name(Access access) {
    constexpr std::string_view kNames[] = {"same", "no-more", "more", "unknown"};
    return kNames[static_cast<std::size_t>(access)];
}

/// The answer of a review as a whole.
struct ChangeVerdict {
    std::string base, head;  ///< what was compared: "origin/main (3f9c2a1)", "the work tree"
    Access access = Access::unknown;
    std::string
        counterexample;     ///< of `more`: "io_uring_setup(0, 0) was refused in the base, runs in the head"
    bool required = false;  ///< no-new-access is asked for
    std::vector<std::string> notes;  ///< what the answer rests on, one sentence each
};

}  // namespace guard
