#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "launcher/launch.h"
#include "posture/record.h"

namespace guard::launcher {
namespace {

using nlohmann::json;

json mount_to_json(const PlannedMount& planned) {
    constexpr std::array<std::string_view, 5> kMakers{"outside", "fresh", "again", "hidden-file",
                                                      "hidden-dir"};
    json grants = json::array();
    for (const auto& row : kMountGrants)
        if (planned.mount.grants.all.contains(row.grant)) grants.push_back(row.name);
    json line{{"place", planned.place},
              {"type", planned.mount.type},
              {"made", kMakers.at(static_cast<std::size_t>(planned.make))},
              {"grants", std::move(grants)}};
    if (!planned.mount.source.empty()) line["source"] = planned.mount.source;
    if (!planned.options.empty()) line["options"] = planned.options;
    if (planned.mount.idmap) line["owner"] = fmt::format("{}:{}", planned.source_uid, planned.source_gid);
    return line;
}

json mounts_to_json(const LaunchPlan& plan) {
    json mounts = json::array();
    for (const auto& planned : plan.mounts) mounts.push_back(mount_to_json(planned));
    return mounts;
}

json files_to_json(const LaunchPlan& plan) {
    json files = json::object();
    constexpr std::size_t kShown = 4096;
    for (const auto& file : plan.files)
        files["/" + file.path] = file.content.size() <= kShown
                                     ? json(file.content)
                                     : json(fmt::format("{} bytes", file.content.size()));
    for (const auto& link : plan.links) files["/" + link.path] = "-> " + link.target;
    return files;
}

json cgroup_to_json(const CgroupPlan& plan) {
    json writes = json::array();
    for (const auto& write : plan.writes)
        writes.push_back(
            {{"file", write.folder + "/" + write.file}, {"value", write.value}, {"key", write.key}});
    return {{"leaves", plan.leaves}, {"writes", std::move(writes)}};
}

json landlock_to_json(const LandlockPlan& plan) {
    json rules = json::object();
    for (const auto& rule : plan.rules) rules[rule.place] = fmt::format("{:#x}", rule.access);
    return {{"enabled", plan.enabled}, {"rules", std::move(rules)}, {"bind-ports", plan.bind_ports}};
}

}  // namespace

std::string plan_to_json(const LaunchPlan& plan) {
    const json all{{"guard", 1},
                   {"name", plan.name},
                   {"command", plan.command},
                   {"environment", plan.environment},
                   {"workdir", plan.workdir},
                   {"hostname", plan.hostname},
                   {"uid-map", plan.uid_map},
                   {"gid-map", plan.gid_map},
                   {"mounts", mounts_to_json(plan)},
                   {"files", files_to_json(plan)},
                   {"cgroup", cgroup_to_json(plan.cgroup)},
                   {"landlock", landlock_to_json(plan.landlock)},
                   {"filter-instructions", plan.filter.size() / 8},
                   {"data", plan.data},
                   {"log", plan.log},
                   {"notices", plan.notices},
                   {"posture", json::parse(posture_to_json(plan.expected))}};
    return all.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace guard::launcher
