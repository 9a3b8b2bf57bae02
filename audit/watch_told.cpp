#include "audit/watch_told.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace guard::audit {
namespace {

using Json = nlohmann::ordered_json;

std::string key_of(const Finding& finding, const Subject& subject) {
    return fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{} {} {}", subject.unit, finding.check->id, finding.item,
                       verdict_name(finding.verdict), finding.expected, finding.observed, finding.reason,
                       subject.pid, subject.start, subject.tid);
}

// One finding a task, by key.
std::map<std::string, Finding> single(const std::vector<Finding>& findings) {
    std::map<std::string, Finding> all;
    for (const auto& finding : findings) {
        if (finding.waiver) continue;
        for (const auto& subject : finding.subjects) {
            auto one = finding;
            one.subjects = {subject};
            all.emplace(key_of(finding, subject), std::move(one));
        }
    }
    return all;
}

Json json_of(const ToldFindings::Ended& told) {
    const auto& finding = told.finding;
    const auto& subject = finding.subjects.front();
    return {{"since", told.since},
            {"unit", subject.unit},
            {"check", finding.check->id},
            {"item", finding.item},
            {"severity", static_cast<int>(finding.severity)},
            {"verdict", static_cast<int>(finding.verdict)},
            {"expected", finding.expected},
            {"observed", finding.observed},
            {"reason", finding.reason},
            {"pid", subject.pid},
            {"tid", subject.tid},
            {"start", subject.start},
            {"command", subject.command},
            {"exe", subject.exe}};
}

bool is_check(const std::string& id) { return std::ranges::find(checks(), id, &Check::id) != checks().end(); }

// A check that this guard does not know any more is left out: it would begin anew under its new name.
void add_told(std::map<std::string, ToldFindings::Ended>& told, const Json& json) {
    const auto id = json.at("check").get<std::string>();
    if (!is_check(id)) return;
    Finding finding;
    finding.check = &check_of(id);
    json.at("item").get_to(finding.item);
    finding.severity = static_cast<Severity>(std::clamp(json.at("severity").get<int>(), 0, 5));
    finding.verdict = static_cast<Verdict>(std::clamp(json.at("verdict").get<int>(), 0, 5));
    json.at("expected").get_to(finding.expected);
    json.at("observed").get_to(finding.observed);
    json.at("reason").get_to(finding.reason);
    Subject subject;
    json.at("unit").get_to(subject.unit);
    json.at("pid").get_to(subject.pid);
    json.at("tid").get_to(subject.tid);
    json.at("start").get_to(subject.start);
    json.at("command").get_to(subject.command);
    json.at("exe").get_to(subject.exe);
    finding.subjects = {subject};
    auto key = key_of(finding, subject);
    told.emplace(std::move(key),
                 ToldFindings::Ended{std::move(finding), json.at("since").get<std::int64_t>()});
}

}  // namespace

bool ToldFindings::differ(const std::vector<Finding>& now) const {
    const auto there = single(now);
    return !std::ranges::equal(there, told_, {}, &std::pair<const std::string, Finding>::first,
                               &std::pair<const std::string, Ended>::first);
}

namespace {

// What began together ends together for the reader.
std::vector<ToldFindings::Ended> merged_ends(std::vector<ToldFindings::Ended> ended) {
    std::map<std::int64_t, std::vector<Finding>> by_begin;
    for (auto& one : ended) by_begin[one.since].push_back(std::move(one.finding));
    std::vector<ToldFindings::Ended> all;
    for (auto& [since, findings] : by_begin)
        for (auto& finding : merged(std::move(findings))) all.push_back({std::move(finding), since});
    return all;
}

}  // namespace

ToldFindings::Turns ToldFindings::settle(const std::vector<Finding>& first,
                                         const std::vector<Finding>& second, std::int64_t now) {
    const auto before = single(first), after = single(second);
    Turns turns;
    std::erase_if(told_, [&](auto& entry) {
        if (before.contains(entry.first) || after.contains(entry.first)) return false;
        turns.ended.push_back(std::move(entry.second));
        return true;
    });
    for (const auto& [key, finding] : after) {
        if (!before.contains(key) || told_.contains(key)) continue;
        turns.begun.push_back(finding);
        told_.emplace(key, Ended{finding, now});
    }
    turns.begun = merged(std::move(turns.begun));
    turns.ended = merged_ends(std::move(turns.ended));
    return turns;
}

std::string ToldFindings::to_json() const {
    auto list = Json::array();
    for (const auto& [key, told] : told_) list.push_back(json_of(told));
    return Json{{"guard", 1}, {"told", list}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ToldFindings> ToldFindings::from_json(const std::string& text) {
    ToldFindings result;
    try {
        const auto json = Json::parse(text);
        for (const auto& one : json.at("told")) add_told(result.told_, one);
    } catch (const Json::exception& wrong) {
        return fail("read what an earlier watcher told", wrong.what());
    }
    return result;
}

}  // namespace guard::audit
