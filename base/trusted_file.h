#pragma once
#include <sys/types.h>

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace guard {

/// Opens a file for reading only where nobody but root and `user` can have changed it: they own it, every
/// directory and every link on the way to it, and nobody else may write them. A directory with the sticky bit
/// counts as not writable: there nobody moves what another owns. Each step is opened from the one before, so
/// that what was checked is what is opened. Fails with who could change what, and the command that mends it.
[[nodiscard]] Result<UniqueFd> open_trusted(const std::string& path, uid_t user);

}  // namespace guard
