#include "audit/audit.h"

#include <unistd.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/result.h"
#include "launcher/state.h"
#include "posture/waivers.h"
#include "report/findings.h"

namespace guard::cli {
namespace {

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

std::string profile_of(const std::string& name, const std::vector<Record>& records) {
    const auto row = std::ranges::find(records, name, &Record::name);
    if (row == records.end() || row->launched.sources.empty()) return {};
    return row->launched.sources.front().path;
}

audit::Ask ask_of(const Invocation& invocation) {
    const auto way = invocation.value("exact");
    if (way == "ptrace")
        tell("guard:",
             "ptrace interrupts each thread: some of its waiting calls return an error (EINTR) to it");
    return way == "ptrace" ? audit::Ask::ptrace : way == "bpf" ? audit::Ask::bpf : audit::Ask::when_unproved;
}

Result<report::Findings> look(const Invocation& invocation) {
    auto records = TRY(records_of(invocation.operands));
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    const auto scope = invocation.operands.empty() ? audit::Records::all : audit::Records::some;
    auto seen = TRY(audit::audit_records(
        records.read, {.today = std::chrono::year_month_day(today),
                       .records = scope,
                       .files = invocation.has("scan-files") ? audit::Files::scan : audit::Files::skip,
                       .ask = ask_of(invocation)}));
    report::Findings findings;
    for (const auto& one : seen.containers)
        findings.examined.push_back({one.name, one.tasks, one.checks, profile_of(one.name, records.read)});
    findings.findings = std::move(seen.findings);
    std::ranges::move(records.missing, std::back_inserter(findings.findings));
    for (const auto& record : records.read)
        std::ranges::move(waiver_findings({.unit = record.name}, record.launched, today),
                          std::back_inserter(findings.findings));
    findings.findings = merged(std::move(findings.findings));
    findings.as_root = ::geteuid() == 0;
    findings.asked.assign(compared_checks().begin(), compared_checks().end());
    return findings;
}

}  // namespace

int run_audit(const Invocation& invocation) {
    auto findings = look(invocation);
    if (!findings) {
        complain(findings.error());
        return kUsage;
    }
    if (findings->examined.empty() && findings->findings.empty() && !invocation.has("quiet"))
        tell("guard", "no container is running");
    return give_findings(invocation, std::move(*findings));
}

}  // namespace guard::cli
