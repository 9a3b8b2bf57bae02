#pragma once
#include <array>
#include <span>
#include <string_view>

#include "base/error.h"

namespace guard::audit {

/// A right that an audit uses, and what it can't read without.
struct NeededRight {
    int capability;
    std::string_view needed_for;
};
[[nodiscard]] std::span<const NeededRight> needed_rights();

/// Whether files that others own will be written, for --output.
enum class Writes : bool { own_files, any_files };

/// Takes every other right from this process for good, and the way to new ones: what reads strangers' files
/// should hold nothing that they could want. An ordinary user has none to lose. Fails with the errno of
/// capset(2).
[[nodiscard]] Result<void> drop_other_rights(Writes writes);

}  // namespace guard::audit
