#pragma once
#include <string>

namespace guard {

/// The JSON Schema (draft 07) of a profile and of a group file, made from the key tables: for editors and for
/// validators in other programs. It says what one file may hold; what only the chain of files can tell
/// (contradictions, names that must exist) is `guard check`'s.
[[nodiscard]] std::string profile_schema();
[[nodiscard]] std::string group_schema();

}  // namespace guard
