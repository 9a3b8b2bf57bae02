#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/key.h"
#include "posture/profile.h"

namespace guard::policies {

/// A mount while its keys come in one by one.
struct MountDraft {
    Mount mount;
    bool create = false;
    std::optional<bool> idmap;
    std::vector<std::string> lower;
    std::string upper, work;
    std::map<std::string, Place> said;  ///< key -> where
    Place place;
};

/// A profile in the making: what setters write into, and what is put together when all have run.
struct Draft {
    Profile profile;
    std::map<std::string, MountDraft> mounts;
    std::map<std::string, std::map<std::string, Place>> secrets;  ///< name -> key -> where
    std::vector<Value> allow, deny, absent, rules;                ///< of [seccomp], as written
    bool asks_time_offset = false;
};

/// The value's texts, of a list.
[[nodiscard]] std::vector<std::string> texts_of(const Setting& setting);

}  // namespace guard::policies
