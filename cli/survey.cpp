#include "cli/survey.h"

#include <algorithm>
#include <array>

#include "audit/survey.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/result.h"
#include "report/survey.h"

namespace guard::cli {
namespace {

struct SurveyFormat {
    std::string_view name;
    std::string (*write)(const Survey&);
};
constexpr auto kFormats =
    std::to_array<SurveyFormat>({{"json", report::survey_json}, {"prometheus", report::survey_prometheus}});

bool is_format(std::string_view name) {
    return name == "text" || std::ranges::find(kFormats, name, &SurveyFormat::name) != kFormats.end();
}

// Findings have more formats than a survey, which has no findings.
Result<void> formats_fit(const Invocation& invocation) {
    auto names = invocation.values("format");
    for (const auto& output : invocation.values("output"))
        names.push_back(output.substr(0, output.find(':')));
    for (const auto& name : names)
        if (!is_format(name))
            return fail("write a survey as " + name, "it has no findings", "one of text, json, prometheus");
    return {};
}

}  // namespace

int run_survey(const Invocation& invocation) {
    if (auto fits = formats_fit(invocation); !fits) {
        complain(fits.error());
        return kUsage;
    }
    const auto survey = audit::survey_machine();
    if (!survey) {
        complain(survey.error());
        return kUsage;
    }
    const bool whole = survey->seen == survey->all && survey->unread.empty();
    const auto detail = invocation.has("verbose") ? report::Detail::everything : report::Detail::notable;
    return give_result(invocation, whole || invocation.has("allow-unknown") ? kDone : kIncomplete,
                       [&](std::string_view format, report::Colour) {
                           const auto* const row = std::ranges::find(kFormats, format, &SurveyFormat::name);
                           return row == kFormats.end() ? report::survey_text(*survey, detail)
                                                        : row->write(*survey);
                       });
}

}  // namespace guard::cli
