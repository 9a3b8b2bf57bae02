#include "posture/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "posture/limit.h"

namespace guard {

std::string in_words(Lock lock) { return lock == Lock::held ? "held" : "open"; }

std::string in_words(const Unknown& unknown) { return describe(Error{unknown.why, "", unknown.code, ""}); }

std::string in_words(const Relation& relation) {
    switch (relation.to) {
        case Relation::To::own: return "own";
        case Relation::To::host: return "this machine's";
        case Relation::To::peer: return "that of " + relation.whom;
        case Relation::To::nested: return "one made inside";
        case Relation::To::foreign:
            return relation.whom.empty() ? "somebody else's" : "that of " + relation.whom;
    }
    return {};
}

std::string in_words(const IdLine& line) {
    if (line.count == 1)
        return fmt::format("id {} inside = {} {}", line.inside, line.own ? "own id" : "host id",
                           line.outside);
    return fmt::format("{} ids from {} inside = {} {}", line.count, line.inside,
                       line.own ? "own range from" : "host ids from", line.outside);
}

std::string in_words(MountGrant grant) {
    return std::string(std::ranges::find(kMountGrants, grant, &MountGrantRow::grant)->name);
}

std::string kind_in_words(const Mount& mount) {
    return mount.source.empty() ? mount.type : fmt::format("{} of {}", mount.type, mount.source);
}

std::string in_words(const Mount& mount) {
    std::string text = kind_in_words(mount);
    for (const auto grant : mount.grants.all) text += ", " + in_words(grant);
    if (mount.grants.all.empty()) text += ", read-only";
    return text;
}

std::string in_words(Denial denial) {
    return std::string(std::ranges::find(kDenials, denial, &DenialRow::denial)->name);
}

std::string in_words(std::string_view field, const Exact<std::uint32_t>& value) {
    if (field == "umask") return fmt::format("{:04o}", value.value);
    if (field == "personality") return fmt::format("{:#x}", value.value);
    return std::to_string(value.value);
}

std::string bound_in_words(const std::string& item, const std::optional<std::uint64_t>& bound) {
    if (!bound) return "none";
    if (*bound == kHostHardLimit) return "the host's hard limit";
    const auto key = item.substr(0, item.find(' '));
    const bool is_size = item.ends_with(" size");
    const auto* const row = std::ranges::find(kLimits, key, &LimitRow::name);
    if (is_size || (row != kLimits.end() && row->unit == LimitUnit::bytes)) return format_size(*bound);
    if (row != kLimits.end() && row->unit == LimitUnit::microcores) {
        return fmt::format("{} core{}", static_cast<double>(*bound) / 1e6, *bound == 1'000'000 ? "" : "s");
    }
    return std::to_string(*bound);
}

}  // namespace guard
