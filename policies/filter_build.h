#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "posture/filter_rules.h"

namespace guard::policies {

/// [seccomp] of a profile with its groups expanded: what each entry and each rule adds, not yet put together.
struct FilterParts {
    std::map<std::string, std::vector<Cube>> allow, deny;  ///< an entry without condition is one empty cube
    std::set<std::string> absent;
    Denial on_denied = Denial::eperm, on_unknown = Denial::enosys;
    bool log_denied = false;
    std::set<std::string> abis = {"native"};
};

/// (Every allow) minus (every deny), in one form for one meaning. `absent` says how a call is answered where
/// it is not allowed; a call that is allowed for all arguments is not absent.
[[nodiscard]] FilterRules resolve(const FilterParts& parts);

}  // namespace guard::policies
