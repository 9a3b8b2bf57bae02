#include "posture/waivers.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "posture/fields.h"

namespace guard {
namespace {

using std::chrono::sys_days;

std::string about(const Waiver& waiver) {
    const auto at = waiver.what.empty() ? std::string() : " at " + waiver.what;
    return fmt::format("for {}{}, by {}", waiver.finding, at, waiver.owner);
}

Finding told(std::string_view id, const Subject& subject, const Waiver& waiver, std::string title) {
    auto finding = raise(id, subject, about(waiver), "", waiver.where);
    finding.item = waiver.what.empty() ? waiver.finding : waiver.finding + " " + waiver.what;
    finding.title = std::move(title);
    return finding;
}

// A field's findings come of every compare; any other id may be one of a command that is not this one.
bool is_field(std::string_view id) {
    return std::apply([id](const auto&... field) { return ((field.name == id) || ...); }, kFields);
}

std::string in_days(std::chrono::days days) {
    if (days.count() == 0) return "today";
    return days.count() == 1 ? "tomorrow" : fmt::format("in {} days", days.count());
}

}  // namespace

std::string date_in_words(std::chrono::year_month_day day) {
    return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                       static_cast<unsigned>(day.day()));
}

bool is_about(const Waiver& waiver, const Finding& finding) {
    const bool by_risk = finding.risk != nullptr && waiver.finding == finding.risk->id;
    if (!by_risk && waiver.finding != finding.check->id) return false;
    return waiver.what.empty() || waiver.what == finding.item || finding.item.starts_with(waiver.what + " ");
}

bool is_in_force(const Waiver& waiver, Severity severity, std::chrono::year_month_day today) {
    if (!waiver.expires) return severity <= Severity::medium;
    return *waiver.expires >= today;
}

void apply_waivers(std::vector<Finding>& findings, std::span<const Waiver> waivers,
                   std::chrono::year_month_day today) {
    for (const auto& waiver : waivers) {
        const auto fits = [&waiver](const Finding& finding) { return is_about(waiver, finding); };
        if (waiver.what.empty() && std::ranges::count_if(findings, fits) > 1) continue;
        for (auto& finding : findings)
            if (fits(finding) && !finding.waiver && is_in_force(waiver, finding.severity, today))
                finding.waiver = waiver;
    }
}

std::vector<Finding> waiver_findings(const Subject& subject, std::span<const Waiver> waivers,
                                     std::span<const Finding> findings, std::chrono::year_month_day today) {
    std::vector<Finding> all;
    for (const auto& waiver : waivers) {
        const auto left = waiver.expires ? sys_days(*waiver.expires) - sys_days(today) : kWaiverNotice * 2;
        if (left.count() < 0)
            all.push_back(told("waiver.expired", subject, waiver,
                               fmt::format("a waiver has ended on {}; its finding counts again",
                                           date_in_words(*waiver.expires))));
        else if (left <= kWaiverNotice)
            all.push_back(
                told("waiver.ending", subject, waiver,
                     fmt::format("a waiver ends {}, on {}", in_days(left), date_in_words(*waiver.expires))));
        const bool used =
            std::ranges::any_of(findings, [&](const Finding& one) { return is_about(waiver, one); });
        if (!used && is_field(waiver.finding)) all.push_back(told("waiver.unused", subject, waiver, ""));
    }
    return all;
}

std::vector<Finding> waiver_findings(const Subject& subject, const Profile& profile,
                                     std::chrono::year_month_day today) {
    if (profile.waivers.empty()) return {};
    const auto nothing = nothing_granted();
    const Case whole{subject, &nothing, &profile.posture};
    const auto grants = judge(std::span(&whole, 1), Against::profile, today);
    return waiver_findings(subject, profile.waivers, grants, today);
}

}  // namespace guard
