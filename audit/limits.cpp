#include "audit/limits.h"

#include <fcntl.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "audit/known.h"
#include "base/proc_limits.h"
#include "base/sys.h"
#include "posture/limit.h"
#include "posture/limit_files.h"

namespace guard::audit {
namespace {

using Bounds = Named<Ceiling<std::uint64_t>>;

// "io-max /dev/sda read" names a device by its path, the kernel by its number.
DeviceNumbers device_numbers(const Bounds& launched) {
    DeviceNumbers numbers;
    for (const auto& [item, bound] : launched) {
        const auto open = item.find(" /");
        if (open == std::string::npos) continue;
        const auto path = item.substr(open + 1, item.rfind(' ') - open - 1);
        const auto status = sys::fstatat(AT_FDCWD, path);
        if (status)
            numbers[path] =
                std::to_string(major(status->st_rdev)) + ":" + std::to_string(minor(status->st_rdev));
    }
    return numbers;
}

void tighten(Bounds& all, const Bounds& level) {
    for (const auto& [item, bound] : level) {
        auto& tightest = all[item].most;
        if (bound.most && (!tightest || *bound.most < *tightest)) tightest = bound.most;
    }
}

// Calls visit(texts) for the cgroup of the task and those above it, up to the container's own.
template <class Visit>
Result<void> each_level(const std::string& controller, const std::string& path, const std::string& leaf,
                        const SharedFacts& shared, Visit&& visit) {
    for (auto at = path;; at.erase(std::max<std::size_t>(at.rfind('/'), 1))) {
        const auto found = shared.cgroups.find({controller, at});
        if (found == shared.cgroups.end()) return fail("read the limits of cgroup " + at, "not read");
        const auto* texts = value_of(found->second);
        if (texts == nullptr) {
            const auto& why = std::get<Unknown>(found->second);
            return std::unexpected(Error{why.why, "", why.code, ""});
        }
        visit(*texts);
        if (at == leaf || at.size() <= 1) return {};
    }
}

// A weight that nobody declared stands at the kernel's own; a bound of none is the same as no bound.
void leave_out_unsaid(Bounds& observed, const Bounds& launched) {
    std::erase_if(observed, [&launched](const auto& entry) {
        const auto* const row = limit_row(entry.first);
        const bool says_nothing = !entry.second.most || (row != nullptr && row->unit == LimitUnit::weight);
        return says_nothing && !launched.contains(entry.first);
    });
}

bool may_be_written_inside(const CgroupOwner& owner, const Bindings& bindings) {
    constexpr mode_t kOthers = 02, kGroup = 020;
    const auto is_own = [&bindings](std::uint32_t id, std::uint32_t base) {
        return bindings.id_count != 0 && id >= base && id - base < bindings.id_count;
    };
    return is_own(owner.uid, bindings.uid_base) || (owner.mode & kOthers) != 0 ||
           (is_own(owner.gid, bindings.gid_base) && (owner.mode & kGroup) != 0);
}

}  // namespace

Known<Grants<std::string>> writable_cgroups(const Bindings& bindings, const SharedFacts& shared) {
    Grants<std::string> writable;
    for (const auto& leaf : bindings.cgroups) {
        const auto found = shared.owners.find(leaf);
        if (found == shared.owners.end()) continue;  // a hierarchy that holds no limit
        const auto* owner = value_of(found->second);
        if (owner == nullptr) return std::get<Unknown>(found->second);
        if (may_be_written_inside(*owner, bindings))
            writable.all.insert(leaf.first.empty() ? leaf.second : leaf.first + ":" + leaf.second);
    }
    return writable;
}

bool is_in_cgroup(const std::string& path, const std::string& leaf) {
    return leaf == "/" ||
           (path.starts_with(leaf) && (path.size() == leaf.size() || path[leaf.size()] == '/'));
}

Known<Bounds> limits_of(const CgroupPaths& at, const SharedFacts& shared,
                        const std::map<std::string, std::string>& leaves, const Known<Bounds>& launched) {
    const auto* declared = value_of(launched);
    if (declared == nullptr) return launched;
    const auto version = shared.layout.unified() ? CgroupFiles::v2 : CgroupFiles::v1;
    const auto devices = device_numbers(*declared);
    Bounds observed;
    for (const auto& [controller, leaf] : leaves) {
        if (shared.layout.unified() != controller.empty()) continue;  // hybrid: v2 is there, without limits
        const auto path = at.find(controller);
        if (path == at.end()) return Unknown{0, "it is in no cgroup of controller " + controller};
        const auto read = each_level(controller, path->second, leaf, shared, [&](const CgroupTexts& texts) {
            tighten(observed, limits_in(version, texts, devices));
        });
        if (!read) return known<Bounds>(std::unexpected(read.error()));
    }
    leave_out_unsaid(observed, *declared);
    return observed;
}

Known<Grants<std::uint32_t>> cpuset_of(const CgroupPaths& at, const SharedFacts& shared) {
    const auto* const controller = shared.layout.unified() ? "" : "cpuset";
    const auto path = at.find(controller);
    if (path == at.end()) return Absent{"this kernel has no cpuset"};
    const auto found = shared.cgroups.find({controller, path->second});
    if (found == shared.cgroups.end()) return Unknown{};
    return map_known(found->second, [&shared](const CgroupTexts& texts) {
        const auto file = texts.find("cpuset.cpus");
        const auto set = parse_cpu_list(file == texts.end() ? "" : file->second);
        const auto online = parse_cpu_list(shared.online_cpus);
        // No set of its own, or one of all cores: it may run anywhere.
        if (!set || (online && *set == *online)) return Grants<std::uint32_t>{};
        return *set;
    });
}

Known<Bounds> rlimits_of(const Known<std::string>& text, const Known<Bounds>& launched) {
    const auto* declared = value_of(launched);
    if (declared == nullptr) return launched;
    if (const auto* unread = std::get_if<Unknown>(&text)) return *unread;
    const auto limits = parse_proc_limits(std::get<std::string>(text));
    if (!limits) return known<Bounds>(std::unexpected(limits.error()));
    Bounds observed;
    for (const auto& row : kRlimits) {
        const auto found = limits->find(row.says);
        if (found == limits->end()) continue;
        const std::string hard(row.name);
        const auto soft = hard + ":soft";
        if (declared->contains(hard)) observed[hard].most = found->second.hard;
        if (declared->contains(soft)) observed[soft].most = found->second.soft;
    }
    return observed;
}

}  // namespace guard::audit
