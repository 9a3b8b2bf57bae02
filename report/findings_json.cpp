#include "report/findings_json.h"

#include "report/finding_words.h"

namespace guard::report {
namespace {

Json subject_json(const Subject& subject) {
    Json json{{"unit", subject.unit}};
    if (subject.pid == 0) return json;
    json.update({{"pid", subject.pid},
                 {"tid", subject.tid},
                 {"start", subject.start},
                 {"command", subject.command},
                 {"exe", subject.exe}});
    return json;
}

Json where_json(const Where& where) {
    if (where.file.empty()) return nullptr;
    return {{"file", where.file}, {"line", where.line}, {"column", where.column}};
}

Json places_json(const Finding& finding) {
    auto places = Json::array();
    for (const auto& place : finding.places)
        places.push_back({{"where", where_json(place.where)}, {"note", place.note}});
    return places;
}

Json waiver_json(const std::optional<Waiver>& waiver) {
    if (!waiver) return nullptr;
    return {{"reason", waiver->reason},
            {"owner", waiver->owner},
            {"expires", waiver->expires ? date_in_words(*waiver->expires) : std::string("never")},
            {"where", where_json(waiver->where)}};
}

// Only what is there: audit and check have no notes.
Json notes_json(const ReviewNotes& notes) {
    Json json = Json::object();
    const auto add = [&json](std::string_view name, const std::string& text) {
        if (!text.empty()) json[std::string(name)] = text;
    };
    add("origin", notes.origin);
    add("means", notes.means);
    add("witness", notes.witness);
    add("taken", notes.taken);
    add("added", notes.added);
    json["in_base"] = notes.in_base;
    return json;
}

Json json_of(const Finding& finding, const Findings& all) {
    auto subjects = Json::array();
    for (const auto& subject : finding.subjects) subjects.push_back(subject_json(subject));
    Json json{{"id", finding.check->id},
              {"item", finding.item},
              {"severity", severity_name(finding.severity)},
              {"verdict", verdict_name(finding.verdict)},
              {"title", title_of(finding)},
              {"subjects", subjects},
              {"expected", finding.expected},
              {"observed", finding.observed},
              {"reason", finding.reason},
              {"where", where_json(finding.where)},
              {"places", places_json(finding)},
              {"needed-by", finding.needed_by},
              {"why", finding.why.empty() ? std::string(finding.check->why) : finding.why},
              {"fix", fix_of(finding, all)},
              {"waiver", waiver_json(finding.waiver)},
              {"fingerprint", fingerprint(finding)}};
    if (finding.notes != ReviewNotes{}) json["review"] = notes_json(finding.notes);
    return json;
}

Json sum_json(const Counts& counts) {
    Json json = Json::object();
    for (std::size_t rank = counts.by_severity.size(); rank-- > 1;)
        json[std::string(severity_name(static_cast<Severity>(rank)))] = counts.by_severity.at(rank);
    json["unknown"] = counts.unknown;
    json["waived"] = counts.waived;
    return json;
}

Json change_json(const ChangeVerdict& change) {
    return {{"base", change.base},
            {"head", change.head},
            {"access", access_name(change.access)},
            {"counterexample", change.counterexample},
            {"no_new_access_required", change.required},
            {"notes", change.notes}};
}

}  // namespace

std::string finding_json(const Finding& finding, const Findings& all) {
    return json_of(finding, all).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json findings_as_json(const Findings& findings) {
    auto examined = Json::array();
    for (const auto& one : findings.examined)
        examined.push_back({{"name", one.unit}, {"tasks", one.tasks}, {"checks", one.checks}});
    auto list = Json::array();
    for (const auto& finding : findings.findings) list.push_back(json_of(finding, findings));
    Json all{{"guard", 1},
             {"command", findings.command},
             {"examined", examined},
             {"findings", list},
             {"sum", sum_json(counts_of(findings.findings))}};
    if (findings.change) all["change"] = change_json(*findings.change);
    return all;
}

std::string findings_json(const Findings& findings) {
    return findings_as_json(findings).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace guard::report
