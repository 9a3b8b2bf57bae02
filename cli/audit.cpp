#include "audit/audit.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/result.h"
#include "launcher/state.h"
#include "report/findings.h"
#include "report/verdict.h"

namespace guard::cli {
namespace {

using report::Outcome;

// Every container's record, or those of the names asked for. A folder without a readable record is not
// skipped: somebody who took the record away would be rewarded.
struct Records {
    std::vector<Record> read;
    std::vector<Finding> missing;
};

Result<Records> records_of(std::vector<std::string> names) {
    const bool all = names.empty();
    if (all) names = TRY(launcher::recorded_names());
    Records records;
    for (const auto& name : names) {
        auto record = launcher::named_record(name);
        if (record)
            records.read.push_back(std::move(*record));
        else if (all)
            records.missing.push_back(
                raise("record.missing", Subject{.unit = name}, "a record", describe(record.error())));
        else
            return std::unexpected(record.error());
    }
    return records;
}

Result<report::Findings> look(const Invocation& invocation) {
    auto records = TRY(records_of(invocation.operands));
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    const auto scope = invocation.operands.empty() ? audit::Records::all : audit::Records::some;
    auto seen = TRY(
        audit::audit_records(records.read, {.today = std::chrono::year_month_day(today), .records = scope}));
    report::Findings findings;
    for (const auto& one : seen.containers) findings.examined.push_back({one.name, one.tasks, one.checks});
    findings.findings = std::move(seen.findings);
    std::ranges::move(records.missing, std::back_inserter(findings.findings));
    findings.findings = merged(std::move(findings.findings));
    findings.as_root = ::geteuid() == 0;
    return findings;
}

Severity severity_of(const std::string& name) {
    for (const auto severity : {Severity::info, Severity::low, Severity::high, Severity::critical})
        if (severity_name(severity) == name) return severity;
    return Severity::medium;
}

std::string written(const report::Findings& findings, std::string_view format, report::Colour colour) {
    for (const auto& row : report::finding_formats())
        if (row.name == format) return row.write(findings);
    return report::findings_text(findings, colour);
}

}  // namespace

int run_audit(const Invocation& invocation) {
    const auto findings = look(invocation);
    if (!findings) {
        complain(findings.error());
        return static_cast<int>(Outcome::unusable);
    }
    if (findings->examined.empty() && findings->findings.empty() && !invocation.has("quiet"))
        tell("guard", "no container is running");
    const auto unknowns =
        invocation.has("allow-unknown") ? report::Unknowns::accept : report::Unknowns::count;
    const auto outcome = report::outcome_of(report::counts_of(findings->findings),
                                            severity_of(invocation.value("fail-on")), unknowns);
    return give_result(
        invocation, static_cast<int>(outcome),
        [&](std::string_view format, report::Colour colour) { return written(*findings, format, colour); });
}

}  // namespace guard::cli
