#pragma once
#include <string>

#include "base/error.h"

namespace guard::audit {

/// The host name in a UTS namespace: the calling thread enters it, asks and comes back, for no file shows
/// another namespace's. Fails with the errno of setns(2).
[[nodiscard]] Result<std::string> hostname_in(int uts_namespace);

}  // namespace guard::audit
