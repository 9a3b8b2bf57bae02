#include "posture/profile.h"

#include <fmt/format.h>

namespace guard {

std::string format_where(const Where& where) {
    if (where.line == 0) return where.file;
    return fmt::format("{}:{}:{}", where.file, where.line, where.column);
}

std::string format_where_short(const Where& where) {
    Where shorter = where;
    shorter.file.erase(0, shorter.file.rfind('/') + 1);
    return format_where(shorter);
}

Where origin_of(const Origins& origins, const std::string& path) {
    for (auto prefix = path; !prefix.empty();) {
        if (const auto row = origins.find(prefix); row != origins.end()) return row->second;
        const auto cut = prefix.find_last_of("./ ");
        if (cut == std::string::npos) break;
        prefix.erase(cut);
    }
    return {"built in", 0, 0};
}

}  // namespace guard
