#include <fmt/format.h>

#include <algorithm>

#include "audit/own_rights.h"
#include "base/process.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/look.h"
#include "cli/output.h"
#include "cli/result.h"
#include "cli/survey.h"
#include "cli/watch.h"
#include "report/findings.h"

namespace guard::cli {
namespace {

Result<report::Findings> look(const Invocation& invocation) {
    if (invocation.has("pid")) return look_at_process(invocation);
    return look_at(TRY(records_of(invocation, NotThere::is_error)), invocation);
}

// Ways to select, of which one invocation takes one, and what belongs to each.
Result<void> options_fit(const Invocation& invocation) {
    const std::string attempt = "run guard audit";
    const bool all = invocation.has("all"), pid = invocation.has("pid"), watch = invocation.has("watch");
    const bool named = !invocation.operands.empty();
    if (static_cast<int>(all) + static_cast<int>(pid) + static_cast<int>(named) > 1)
        return fail(attempt, "names, --pid and --all select different things", "give one of them");
    if (pid != invocation.has("profile"))
        return fail(attempt, "--pid and --profile go together",
                    "guard audit --pid PID --profile P judges the process by the profile");
    if (watch && (all || pid))
        return fail(attempt, "--watch watches guard's containers", "leave out --all and --pid");
    for (const auto* only : {"interval", "listen"})
        if (!watch && invocation.has(only))
            return fail(attempt, fmt::format("--{} belongs to --watch", only), "add --watch");
    if (watch && invocation.value("exact") == "ptrace")
        return fail(attempt, "a watcher would interrupt the server again and again",
                    "leave out --exact=ptrace");
    const auto outputs = invocation.values("output");
    const bool to_journal =
        invocation.value("format") == "journal" ||
        std::ranges::any_of(outputs, [](const auto& output) { return output.starts_with("journal:"); });
    if (!watch && to_journal)
        return fail(attempt, "the journal takes what --watch tells, an entry at a time",
                    "guard audit --watch --format journal");
    return {};
}

}  // namespace

int run_audit(const Invocation& invocation) {
    if (auto fits = options_fit(invocation); !fits) {
        complain(fits.error());
        return kUsage;
    }
    const auto writes = invocation.has("output") ? audit::Writes::any_files : audit::Writes::own_files;
    if (auto dropped = audit::drop_other_rights(writes); !dropped) {
        complain(dropped.error());
        return kUsage;
    }
    // Nothing could be looked at: that is no fault of how guard was called, and no good news either.
    if (const auto proc = open_proc(); !proc) {
        complain(proc.error());
        return kIncomplete;
    }
    if (invocation.has("all")) return run_survey(invocation);
    if (invocation.has("watch")) return run_watch(invocation);
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
