#pragma once
#include <gtest/gtest.h>

#include <cerrno>
#include <optional>
#include <string>

#include "base/task_iterator.h"

namespace guard::support {

/// Why the kernel's walks over all threads can't be had on this machine: for want of rights, of the kernel's
/// type information, or of the programs in this build. None where they can. Whatever else keeps them from
/// being opened is a fault of guard's, and fails the test.
[[nodiscard]] inline std::optional<std::string> no_kernel_walk() {
    const auto opened = TaskIterator::open({});
    if (opened) return std::nullopt;
    auto why = describe(opened.error());
    const int code = opened.error().code;
    if (code != EPERM && code != EACCES && code != ENOENT && why.find("GUARD_EXACT=OFF") == std::string::npos)
        ADD_FAILURE() << why;
    return why;
}
#define GUARD_SKIP_UNLESS_WALKED() \
    if (const auto why = ::guard::support::no_kernel_walk()) GTEST_SKIP() << *why

}  // namespace guard::support
