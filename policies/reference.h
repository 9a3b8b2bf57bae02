#pragma once
#include <string>

namespace guard {

/// The reference of the profile language in Markdown, made from the key tables.
[[nodiscard]] std::string reference_page();

}  // namespace guard
