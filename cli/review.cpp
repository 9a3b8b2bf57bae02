#include "review/review.h"

#include <unistd.h>

#include "base/sys.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/profile_input.h"
#include "cli/result.h"
#include "policies/requirements.h"
#include "report/diagnostics.h"
#include "report/findings.h"
#include "report/verdict.h"

namespace guard::cli {
namespace {

using report::Outcome;

review::Request request_of(const Invocation& invocation) {
    const auto today = std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now());
    review::Request request;
    request.base = invocation.value("base");
    request.head = invocation.value("head");
    request.paths = invocation.operands;
    request.shipped = shipped_profiles();
    request.today = std::chrono::year_month_day(today);
    request.require_no_new_access = invocation.has("require");
    if (invocation.has("fail-on")) request.fail_on = severity_named(invocation.value("fail-on"));
    return request;
}

report::Findings findings_of(review::Review&& reviewed, report::Unknowns unknowns) {
    report::Findings findings;
    findings.command = "review";
    findings.units = "profile";
    for (auto& unit : reviewed.units)
        findings.examined.push_back({std::move(unit.name), 0, 0, std::move(unit.file)});
    findings.findings = std::move(reviewed.findings);
    findings.change = std::move(reviewed.verdict);
    findings.asked.assign(compared_checks().begin(), compared_checks().end());
    findings.tree.folder = std::move(reviewed.root);
    findings.bar = {reviewed.fail_on, unknowns};
    return findings;
}

// What can't be read beats what was found, and that what is unknown.
int status_of(const review::Review& reviewed, report::Unknowns unknowns) {
    if (!reviewed.diagnostics.empty()) return kUsage;
    const auto outcome = report::outcome_of(report::counts_of(reviewed.findings), reviewed.fail_on, unknowns);
    const auto& verdict = reviewed.verdict;
    if (verdict.required && verdict.access == Access::more) return kFailed;
    if (verdict.required && verdict.access == Access::unknown && outcome == Outcome::clean)
        return kIncomplete;
    return static_cast<int>(outcome);
}

}  // namespace

int run_review(const Invocation& invocation) {
    auto reviewed = review::review(request_of(invocation));
    if (!reviewed) {
        complain(reviewed.error());
        return kUsage;
    }
    static_cast<void>(sys::write_all(
        STDERR_FILENO, report::diagnostics_text(reviewed->diagnostics, report::Colour::off), "stderr"));
    const auto unknowns =
        invocation.has("allow-unknown") ? report::Unknowns::accept : report::Unknowns::count;
    const auto status = status_of(*reviewed, unknowns);
    return give_findings(invocation, findings_of(std::move(*reviewed), unknowns), status);
}

}  // namespace guard::cli
