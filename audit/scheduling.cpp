#include "audit/scheduling.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "audit/known.h"
#include "posture/limit_files.h"

namespace guard::audit {
namespace {

// Those that go before everything else; batch and idle go after ordinary ones. sched(7)
struct PolicyRow {
    unsigned number;
    std::string_view name;
};
constexpr auto kRealtime = std::to_array<PolicyRow>({{1, "fifo"}, {2, "rr"}, {6, "deadline"}});
constexpr int kRealtimeDisk = 1;  // IOPRIO_CLASS_RT

Exact<std::string> policy_in_words(const ProcStat& stat) {
    const auto* const row = std::ranges::find(kRealtime, stat.policy, &PolicyRow::number);
    if (row == kRealtime.end()) return {"ordinary"};
    return {stat.realtime == 0 ? std::string(row->name) : fmt::format("{} {}", row->name, stat.realtime)};
}

// The cores that a task may have at most, as the kernel tells it.
std::string cores_given(const CgroupPaths& at, const SharedFacts& shared) {
    const auto* const controller = shared.layout.unified() ? "" : "cpuset";
    const auto path = at.find(controller);
    if (path == at.end()) return shared.online_cpus;
    const auto found = shared.cgroups.find({controller, path->second});
    const auto* texts = found == shared.cgroups.end() ? nullptr : value_of(found->second);
    if (texts == nullptr) return shared.online_cpus;
    for (const auto* file : {"cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus"})
        if (const auto text = texts->find(file); text != texts->end() && text->second.size() > 1)
            return text->second;
    return shared.online_cpus;
}

Known<Exact<std::string>> cores_in_words(const SeenTask& task, const SharedFacts& shared) {
    const auto& allowed = task.facts.status.cpus_allowed;
    const auto mine = parse_cpu_list(allowed);
    const auto given = parse_cpu_list(cores_given(task.facts.cgroups, shared));
    if (!mine || !given || mine->all.empty()) return Unknown{0, "compare its cores with those of its cgroup"};
    const bool all = std::ranges::includes(mine->all, given->all);
    return Exact<std::string>{all ? "all" : "only " + allowed};
}

}  // namespace

Scheduling scheduling_of(const SeenTask& task, const SharedFacts& shared) {
    const auto& stat = task.details.stat;
    return {.policy = map_known(stat, policy_in_words),
            .nice = map_known(stat, [](const ProcStat& read) { return Floor<int>{read.nice}; }),
            .cores = cores_in_words(task, shared),
            .disk = map_known(task.details.disk_class, [](int disk_class) {
                return disk_class == kRealtimeDisk ? Lock::open : Lock::held;
            })};
}

}  // namespace guard::audit
