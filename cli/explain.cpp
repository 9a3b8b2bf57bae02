#include "report/explain.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/profile_input.h"
#include "cli/result.h"
#include "policies/nearest.h"

namespace guard::cli {
namespace {

Error no_such_section(const std::string& section) {
    const auto known = report::explain_sections();
    const auto near = nearest(section, {known.begin(), known.end()});
    const std::string all = fmt::format("the sections are {}", fmt::join(known, ", "));
    return {fmt::format("explain {}", section), "the profile says nothing about it", 0,
            near ? fmt::format("did you mean {}?", *near) : all};
}

}  // namespace

int run_explain(const Invocation& invocation) {
    const auto profile = load_or_complain(invocation, invocation.operands.front(), LoadOptions::Trust::any);
    if (!profile) return kUsage;
    const std::vector<std::string> sections(invocation.operands.begin() + 1, invocation.operands.end());
    for (const auto& section : sections)
        if (!report::explains(*profile, section)) {
            complain(no_such_section(section));
            return kUsage;
        }
    const auto detail = invocation.has("verbose") ? report::Detail::all : report::Detail::brief;
    return give_result(invocation, kDone, [&](std::string_view format, report::Colour) {
        return format == "json" ? report::explain_json(*profile, sections)
                                : report::explain_text(*profile, sections, detail);
    });
}

}  // namespace guard::cli
