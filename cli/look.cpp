#include "cli/look.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "audit/audit.h"
#include "audit/foreign.h"
#include "base/split.h"
#include "cli/output.h"
#include "cli/profile_input.h"
#include "launcher/state.h"
#include "posture/waivers.h"

namespace guard::cli {
namespace {

std::chrono::year_month_day today() {
    return std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
}

std::string profile_of(const std::string& name, const std::vector<Record>& records) {
    const auto row = std::ranges::find(records, name, &Record::name);
    if (row == records.end() || row->launched.sources.empty()) return {};
    return row->launched.sources.front().path;
}

void add_report(report::Findings& findings, audit::Report seen, const std::vector<Record>& records) {
    for (const auto& one : seen.containers)
        findings.examined.push_back({one.name, one.tasks, one.checks, profile_of(one.name, records)});
    findings.asked.assign(compared_checks().begin(), compared_checks().end());
    std::ranges::move(seen.findings, std::back_inserter(findings.findings));
}

audit::Ask ask_of(const Invocation& invocation) {
    const auto way = invocation.value("exact");
    if (way == "ptrace")
        tell("guard:",
             "ptrace interrupts each thread: some of its waiting calls return an error (EINTR) to it");
    return way == "ptrace" ? audit::Ask::ptrace : way == "bpf" ? audit::Ask::bpf : audit::Ask::when_unproved;
}

// One for this process: a watcher looks again and again, and opening it is dear.
audit::KernelReader& kernel() {
    static audit::KernelReader reader(kept_programs());
    return reader;
}

}  // namespace

KeptFiles kept_programs() { return KeptFiles(launcher::state_paths().cache + "/programs"); }

Result<Records> records_of(const Invocation& invocation, NotThere not_there) {
    auto names = invocation.operands;
    const bool all = names.empty();
    if (all) names = TRY(launcher::recorded_names());
    Records records;
    for (const auto& name : names) {
        auto record =
            not_there == NotThere::is_error ? launcher::named_record(name) : launcher::load_record(name);
        if (record)
            records.read.push_back(std::move(*record));
        else if (all)
            records.missing.push_back(
                raise("record.missing", Subject{.unit = name}, "a record", describe(record.error())));
        else if (record.error().code != ENOENT)
            return std::unexpected(record.error());
    }
    return records;
}

Result<report::Findings> look_at(Records records, const Invocation& invocation) {
    const auto scope = invocation.operands.empty() ? audit::Records::all : audit::Records::some;
    report::Findings findings;
    const audit::Options options{
        .today = today(),
        .records = scope,
        .files = invocation.has("scan-files") ? audit::Files::scan : audit::Files::skip,
        .ask = ask_of(invocation),
        .kernel = &kernel()};
    add_report(findings, TRY(audit::audit_records(records.read, options)), records.read);
    std::ranges::move(records.missing, std::back_inserter(findings.findings));
    for (const auto& record : records.read)
        std::ranges::move(waiver_findings({.unit = record.name}, record.launched, today()),
                          std::back_inserter(findings.findings));
    findings.findings = merged(std::move(findings.findings));
    findings.as_root = ::geteuid() == 0;
    return findings;
}

Result<report::Findings> look_at_process(const Invocation& invocation) {
    const auto word = invocation.value("pid");
    const auto pid = number_of<pid_t>(word);
    if (!pid || *pid <= 0)
        return fail("run guard audit --pid " + word, "it is no process id",
                    "give a number; ps -e shows them");
    const auto name = invocation.value("profile");
    const auto profile = load_or_complain(invocation, name, LoadOptions::Trust::any);
    if (!profile) return fail("judge process " + word, "there is no profile to judge it by");
    report::Findings findings;
    findings.units = "process";
    findings.as_root = ::geteuid() == 0;
    findings.again = fmt::format("guard audit --pid {} --profile {}", word, name);
    findings.own_launch = false;
    const audit::Options options{.today = today(), .ask = ask_of(invocation), .kernel = &kernel()};
    add_report(findings, TRY(audit::audit_process(*pid, *profile, options)), {});
    return findings;
}

}  // namespace guard::cli
