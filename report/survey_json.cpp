#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "report/survey.h"

namespace guard::report {
namespace {

using Json = nlohmann::ordered_json;

Json process_json(const SurveyedProcess& process) {
    auto grants = Json::array();
    for (const auto& grant : process.grants)
        grants.push_back({{"field", grant.field}, {"item", grant.item}, {"value", grant.to}});
    return {{"pid", process.subject.pid},
            {"start", process.subject.start},
            {"tid", process.subject.tid},
            {"command", process.subject.command},
            {"exe", process.subject.exe},
            {"user", process.user},
            {"home", process.home},
            {"threads", process.threads},
            {"rights", power_name(process.power)},
            {"why", process.why},
            {"filters", process.filters ? Json(*process.filters) : Json(nullptr)},
            {"strict", process.strict},
            {"machine_users", process.machines_users},
            {"listens", process.listens},
            {"grants", grants},
            {"unread", process.unread}};
}

Json namespace_json(const SurveyedNamespace& kept) {
    return {{"type", kept.type},   {"id", kept.id},       {"machine", kept.machines},
            {"tasks", kept.tasks}, {"first", kept.first}, {"handles", kept.handles}};
}

struct Count {
    std::string labels;
    std::size_t value;
};
std::string series(std::string_view name, std::string_view help, const std::vector<Count>& counts) {
    auto text = fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
    for (const auto& [labels, value] : counts)
        text += fmt::format("{}{} {}\n", name, labels.empty() ? "" : "{" + labels + "}", value);
    return text;
}

}  // namespace

std::string survey_json(const Survey& survey) {
    auto processes = Json::array(), namespaces = Json::array();
    for (const auto& process : survey.processes) processes.push_back(process_json(process));
    for (const auto& kept : survey.namespaces) namespaces.push_back(namespace_json(kept));
    const Json all{{"guard", 1},
                   {"command", "audit --all"},
                   {"seen", survey.seen},
                   {"all", survey.all},
                   {"kernel_threads", survey.kernel_threads},
                   {"unread", survey.unread},
                   {"processes", processes},
                   {"namespaces", namespaces}};
    return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string survey_prometheus(const Survey& survey) {
    std::map<std::pair<Power, bool>, std::size_t>
        processes;  // zeros too: an alert tells none from not looked
    for (const auto& row : powers())
        for (const bool filtered : {false, true}) processes[{row.power, filtered}] = 0;
    for (const auto& process : survey.processes)
        ++processes[{process.power, process.strict || process.filters.value_or(0) > 0}];
    std::vector<Count> by_reach, by_type;
    for (const auto& [key, count] : processes)
        by_reach.push_back(
            {fmt::format("rights=\"{}\",filter=\"{}\"", power_name(key.first), key.second ? "yes" : "none"),
             count});
    std::map<std::pair<std::string, bool>, std::size_t> namespaces;
    for (const auto& row : kNamespaces)
        for (const bool used : {false, true}) namespaces[{std::string(row.name), used}] = 0;
    for (const auto& kept : survey.namespaces) ++namespaces[{kept.type, kept.tasks > 0}];
    for (const auto& [key, count] : namespaces)
        by_type.push_back(
            {fmt::format("type=\"{}\",kept=\"{}\"", key.first, key.second ? "process" : "handle"), count});
    return series("guard_machine_processes", "Processes by how far they reach.", by_reach) +
           series("guard_machine_unread", "Processes that could not be read whole.",
                  {{"", survey.all - survey.seen}}) +
           series("guard_machine_namespaces", "Namespaces by what keeps them.", by_type);
}

}  // namespace guard::report
