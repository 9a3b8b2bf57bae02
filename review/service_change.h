#pragma once
#include <vector>

#include "posture/finding.h"

namespace guard::review {

/// What a profile grants outside its posture: secrets, protections it can do without, whom it is beside on
/// the network. Null stands for nothing of it.
[[nodiscard]] std::vector<Finding> service_changes(const Profile* from, const Profile* to,
                                                   const Subject& subject);

}  // namespace guard::review
