#include <fmt/format.h>

#include <map>

#include "report/finding_words.h"
#include "report/findings.h"

// The text format of Prometheus, for its node exporter's text file collector. Every series is always there,
// zeros too, so that an alert can tell "nothing found" from "nobody looked".
namespace guard::report {
namespace {

std::string label(std::string_view text) {
    std::string result;
    for (const char character : text) {
        if (character == '\\' || character == '"') result += '\\';
        if (character == '\n')
            result += "\\n";
        else
            result += character;
    }
    return result;
}

std::string heading(std::string_view name, std::string_view help) {
    return fmt::format("# HELP {0} {1}\n# TYPE {0} gauge\n", name, help);
}

}  // namespace

std::string findings_prometheus(const Findings& findings) {
    std::map<std::string, std::vector<Finding>> by_unit;
    for (const auto& one : findings.examined) by_unit[one.unit];
    for (const auto& finding : findings.findings) by_unit[unit_of(finding)].push_back(finding);

    auto found = heading("guard_findings", "Differences from what was declared, by severity.");
    auto unknown = heading("guard_unknown", "What could not be read.");
    auto tasks = heading("guard_tasks", "Threads looked at.");
    for (const auto& [unit, list] : by_unit) {
        const auto counts = counts_of(list);
        const auto name = label(unit);
        for (std::size_t rank = counts.by_severity.size(); rank-- > 1;)
            found += fmt::format("guard_findings{{{}=\"{}\",severity=\"{}\"}} {}\n", findings.units, name,
                                 severity_name(static_cast<Severity>(rank)), counts.by_severity.at(rank));
        unknown += fmt::format("guard_unknown{{{}=\"{}\"}} {}\n", findings.units, name, counts.unknown);
    }
    for (const auto& one : findings.examined)
        tasks += fmt::format("guard_tasks{{{}=\"{}\"}} {}\n", findings.units, label(one.unit), one.tasks);
    return found + unknown + tasks;
}

}  // namespace guard::report
