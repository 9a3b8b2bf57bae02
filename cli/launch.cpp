#include "launcher/launch.h"

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/profile_input.h"
#include "cli/result.h"
#include "launcher/reaper.h"
#include "launcher/start_words.h"
#include "launcher/state.h"
#include "policies/enforcement.h"
#include "policies/filter_cache.h"
#include "policies/filter_compile.h"

namespace guard::cli {
namespace {

int not_launched(const Error& error, int status = kNotLaunched) {
    complain(error);
    return status;
}

// A dry run leaves nothing behind, not even a better next start.
Result<std::string> filter_of(const Invocation& invocation, const FilterRules& rules) {
    if (invocation.has("dry-run")) return policies::compile_filter(rules);
    return policies::cached_filter(rules, launcher::state_paths().cache + "/filters");
}

Result<launcher::Request> request_of(const Invocation& invocation, Profile profile) {
    launcher::Request request;
    request.name = invocation.value("name", profile.name);
    if (auto named = launcher::check_name(request.name); !named) {
        if (named.error().fix.empty()) named.error().fix = "guard launch --name NAME gives it another one";
        return std::unexpected(named.error());
    }
    request.command = invocation.command_line;
    request.detach = invocation.has("detach");
    const auto* const rules = value_of(profile.posture.seccomp.access);
    request.filter = TRY(filter_of(invocation, rules == nullptr ? FilterRules{} : *rules));
    request.reaper_filter = TRY(filter_of(invocation, launcher::reaper_rules()));
    request.profile = std::move(profile);
    return request;
}

// What the profile asks for and launch can't do yet: refused where it grants or restricts, else said.
Result<void> check_gaps(const Profile& profile, const std::string& name, const Invocation& invocation) {
    for (const auto& gap : gaps_of(profile)) {
        const auto place =
            gap.where.line == 0 ? std::string() : fmt::format(" ({})", format_where_short(gap.where));
        if (gap.kind == Gap::Kind::refused)
            return fail(fmt::format("launch {}", name), gap.sentence + place, gap.fix);
        if (!invocation.has("quiet")) tell(name, gap.sentence + place);
    }
    return {};
}

}  // namespace

int run_launch(const Invocation& invocation) {
    if (!invocation.has("profile"))
        return not_launched({"launch", "no profile was given", 0, "guard launch --profile P"});
    auto profile = load_or_complain(invocation, invocation.value("profile"), LoadOptions::Trust::owner_only);
    if (!profile) return kNotLaunched;
    auto request = request_of(invocation, std::move(*profile));
    if (!request) return not_launched(request.error());
    if (auto possible = check_gaps(request->profile, request->name, invocation); !possible)
        return not_launched(possible.error());
    if (invocation.has("dry-run")) {
        const auto plan = launcher::plan_launch(*request);
        if (!plan) return not_launched(plan.error());
        return answer(launcher::plan_to_json(*plan), kDone);
    }
    const auto& name = request->name;
    if (shows_progress(invocation))
        tell(name, launcher::profile_line(request->profile, launcher::state_paths().lib + "/" + name));
    const auto tell_it = [&name](const std::string& lines) { tell(name, lines); };
    if (!invocation.has("quiet")) request->telling.notice = tell_it;
    if (shows_progress(invocation)) request->telling.progress = tell_it;
    const auto status = launcher::launch(*request);
    if (!status) return not_launched(status.error().error, status.error().status);
    return *status;
}

}  // namespace guard::cli
