#pragma once
#include <string>
#include <vector>

#include "policies/document.h"
#include "posture/filter_rules.h"

namespace guard::policies {

enum class Effect : std::uint8_t { allow, deny };

/// One call that one line of a profile or group allows or denies.
struct FilterEntry {
    Effect effect = Effect::allow;
    std::string call;
    std::string
        word;  ///< what the profile says: the call, or the group that brings it; "@base" for what always is
    std::vector<Cube> cubes;      ///< for which arguments; one empty cube = all
    Place place;                  ///< of the line: in the profile or in a group
    Place through;                ///< of the word in the profile that brought the group in; else the same
    const Value* rule = nullptr;  ///< the [[rule]] it comes from, or none
    [[nodiscard]] bool always() const { return CallRule{cubes}.always(); }
};

}  // namespace guard::policies
