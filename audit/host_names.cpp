#include "audit/host_names.h"

#include "base/split.h"

namespace guard::audit {

IdNames parse_id_names(std::string_view text) {
    IdNames names;
    for (const auto line : lines_of(text)) {
        const auto fields = split(line, ':');
        if (fields.size() < 3) continue;
        const auto id = number_of<std::uint32_t>(fields[2]);
        if (id) names.emplace(*id, fields[0]);  // the first of several names counts, as for getpwuid(3)
    }
    return names;
}

std::string name_of(const IdNames& names, std::uint32_t id) {
    const auto found = names.find(id);
    return found == names.end() ? "(" + std::to_string(id) + ")" : found->second;
}

}  // namespace guard::audit
