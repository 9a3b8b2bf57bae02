#include <linux/filter.h>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/profile_input.h"
#include "cli/result.h"
#include "policies/filter_compile.h"
#include "report/checked.h"
#include "report/diagnostics.h"

namespace guard::cli {
namespace {

// A filter that can't be compiled is as wrong as a key that can't be read.
void compile(report::Checked& checked, const FilterRules& rules) {
    const auto filter = policies::compile_filter(rules);
    if (filter)
        checked.instructions = filter->size() / sizeof(sock_filter);
    else
        checked.diagnostics.push_back({Level::error, describe(filter.error()), {}});
}

// A file of a group stands in a folder `groups`, as on the search path.
bool is_group(const std::string& name) {
    const auto slash = name.rfind('/');
    return slash != std::string::npos && name.ends_with(".toml") &&
           ("/" + name.substr(0, slash)).ends_with("/groups");
}

report::Checked check(const Invocation& invocation, const std::string& name) {
    if (is_group(name)) return {name, check_group(name, load_options(invocation)), 1, 0, {}};
    auto loaded = load(invocation, name, LoadOptions::Trust::any);
    report::Checked checked{name, std::move(loaded.diagnostics), 0, 0, {}};
    if (!loaded.profile || report::has_error(checked.diagnostics)) return checked;
    checked.files = loaded.profile->sources.size();
    const auto* const rules = value_of(loaded.profile->posture.seccomp.access);
    checked.calls = rules == nullptr ? 0 : rules->calls.size();
    compile(checked, rules == nullptr ? FilterRules{} : *rules);
    return checked;
}

}  // namespace

int run_check(const Invocation& invocation) {
    std::vector<report::Checked> profiles;
    int status = kDone;
    for (const auto& name : invocation.operands) {
        profiles.push_back(check(invocation, name));
        if (report::has_error(profiles.back().diagnostics)) status = kUsage;
    }
    return give_result(invocation, status, [&](std::string_view format, report::Colour colour) {
        return format == "json" ? report::checked_json(profiles) : report::checked_text(profiles, colour);
    });
}

}  // namespace guard::cli
