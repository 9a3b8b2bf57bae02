#pragma once
#include <linux/filter.h>

#include <span>

#include "base/error.h"

namespace guard {

/// Whether seccomp(2) would take the program: its instructions, where they jump, load and store, and how it
/// ends. Fails with the first instruction that the kernel refuses, and why.
[[nodiscard]] Result<void> check_accepted(std::span<const sock_filter> program);

}  // namespace guard
