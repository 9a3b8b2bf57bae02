#include "report/watch.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>

#include "base/units.h"
#include "report/finding_words.h"
#include "report/layout.h"

namespace guard::report {
namespace {

std::tm utc(std::int64_t seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    return parts;
}

std::string clock_of(std::int64_t seconds) { return fmt::format("{:%Y-%m-%d %H:%M:%S}", utc(seconds)); }

std::string lasted(const Told& told) {
    return format_duration(std::chrono::seconds(std::max<std::int64_t>(told.at - told.since, 0)));
}

// syslog(3): critical is 2, high 3, medium 4, low 5; an end, or what is info, 6.
int priority_of(const Told& told) {
    constexpr std::array<int, 6> kPriorities{6, 6, 5, 4, 3, 2};
    if (told.turn == Turn::ends) return kPriorities.front();
    if (told.finding.verdict == Verdict::unknown) return 4;
    return kPriorities.at(static_cast<std::size_t>(told.finding.severity));
}

std::string sentence_of(const Told& told) {
    const auto& finding = told.finding;
    auto text = fmt::format("{}: {}", unit_of(finding), title_of(finding));
    if (const auto found = observed_in_words(finding); finding.verdict != Verdict::unknown)
        text += fmt::format(" ({})", found);
    if (const auto who = subjects_in_words(finding, 0); !who.empty()) text += ": " + who;
    return told.turn == Turn::begins ? text : fmt::format("over after {}: {}", lasted(told), text);
}

}  // namespace

std::string watch_text(const Told& told, const Findings& all, Colour colour) {
    const auto time = clock_of(told.at);
    if (told.turn == Turn::ends)
        return hanging(time + "  over", 27,
                       fmt::format("{}  {}  {}, after {}", unit_of(told.finding), title_of(told.finding),
                                   told.finding.check->id, lasted(told)));
    return fmt::format("{}  found\n{}", time, entry_text(told.finding, all, colour));
}

std::string watch_json(const Told& told, const Findings& all) {
    const nlohmann::ordered_json line{
        {"guard", 1},
        {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", utc(told.at))},
        {"event", told.turn == Turn::begins ? "begins" : "ends"},
        {"since", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", utc(told.since))},
        {"finding", nlohmann::ordered_json::parse(finding_json(told.finding, all))}};
    return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::vector<JournalField> watch_journal(const Told& told) {
    const auto& finding = told.finding;
    return {{"MESSAGE", sentence_of(told)},
            {"PRIORITY", std::to_string(priority_of(told))},
            {"SYSLOG_IDENTIFIER", "guard"},
            {"GUARD_EVENT", told.turn == Turn::begins ? "begins" : "ends"},
            {"GUARD_CONTAINER", unit_of(finding)},
            {"GUARD_FINDING", std::string(finding.check->id)},
            {"GUARD_ITEM", finding.item},
            {"GUARD_SEVERITY", std::string(severity_name(finding.severity))},
            {"GUARD_VERDICT", std::string(verdict_name(finding.verdict))}};
}

std::string watch_prometheus(const Findings& all, std::int64_t looked) {
    return findings_prometheus(all) +
           fmt::format(
               "# HELP guard_last_look_seconds When the containers were looked at last, since 1970.\n"
               "# TYPE guard_last_look_seconds gauge\nguard_last_look_seconds {}\n",
               looked);
}

}  // namespace guard::report
