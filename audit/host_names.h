#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace guard::audit {

/// Id -> name, from the text of a passwd or group file; no NSS: audit asks nobody outside this machine.
/// passwd(5), group(5)
using IdNames = std::map<std::uint32_t, std::string>;
[[nodiscard]] IdNames parse_id_names(std::string_view text);

/// "root", or "(300999)" for an id without a name.
[[nodiscard]] std::string name_of(const IdNames& names, std::uint32_t id);

}  // namespace guard::audit
