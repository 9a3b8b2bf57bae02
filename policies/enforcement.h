#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "posture/profile.h"

namespace guard {

/// Something a profile asks for that launch can't do yet.
struct Gap {
    /// Refused: it grants or restricts, so a launch without it would not be what was declared. Not acted on:
    /// it is about the container's life, and launch says that it does nothing with it.
    enum class Kind : bool { refused, not_acted_on } kind = Kind::refused;
    std::string key;       ///< "network.mode"
    std::string sentence;  ///< "network.mode pasta can't be made yet"
    std::string fix;       ///< what to write instead; may be empty
    Where where;
};

/// All gaps of a profile, refused ones first. Empty where everything in it is done.
[[nodiscard]] std::vector<Gap> gaps_of(const Profile& profile);

/// What the reference says of a key that has a gap: "pasta and macvlan: not yet". Empty where it has none.
[[nodiscard]] std::string gap_note(std::string_view key);

}  // namespace guard
