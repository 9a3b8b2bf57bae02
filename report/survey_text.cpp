#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "report/layout.h"
#include "report/survey.h"

namespace guard::report {
namespace {

constexpr std::size_t kListensShown = 2;
constexpr std::string_view kNone = "-";

// One line of the table: processes of one program that are alike in all that it shows.
struct Row {
    const SurveyedProcess* first = nullptr;
    std::size_t processes = 0;
};

bool is_reachable(const SurveyedProcess& process) {
    return std::ranges::any_of(process.listens, [](const std::string& word) {
        return word.find(':') != std::string::npos && !word.starts_with("localhost:");
    });
}

bool is_notable(const SurveyedProcess& process) {
    return process.power != Power::little || is_reachable(process) || process.home.starts_with("guard:");
}

std::vector<Row> rows_of(const Survey& survey, Detail detail) {
    std::vector<Row> rows;
    for (const auto& process : survey.processes) {
        if (detail == Detail::notable && !is_notable(process)) continue;
        const auto alike = [&process](const Row& row) {
            const auto& one = *row.first;
            return one.power == process.power && one.why == process.why && one.user == process.user &&
                   one.filters == process.filters && one.home == process.home &&
                   one.subject.command == process.subject.command && one.listens == process.listens &&
                   one.unread == process.unread;
        };
        const auto row = std::ranges::find_if(rows, alike);
        if (row != rows.end())
            ++row->processes;
        else
            rows.push_back({&process, 1});
    }
    return rows;
}

std::string process_in_words(const Row& row) {
    const auto& subject = row.first->subject;
    auto text = fmt::format("{} {}", printable(subject.command), subject.pid);
    if (subject.command.empty()) text = fmt::format("{}", subject.pid);
    if (row.processes > 1) text += fmt::format(" + {} more", row.processes - 1);
    return text;
}

std::string filter_in_words(const SurveyedProcess& process) {
    if (process.strict) return "strict";
    if (!process.filters) return "?";
    return *process.filters == 0 ? "none" : "yes";
}

std::string listens_in_words(const std::vector<std::string>& listens) {
    if (listens.empty()) return std::string(kNone);
    std::vector<std::string> shown;
    for (const auto& word : listens)
        if (shown.size() < kListensShown) shown.push_back(printable(word));
    const auto more = listens.size() - shown.size();
    return listed(shown) + (more == 0 ? "" : fmt::format(" + {}", more));
}

std::string why_in_words(const SurveyedProcess& process) {
    std::vector<std::string> parts;
    if (!process.home.empty()) parts.push_back(printable(process.home));
    if (!process.why.empty()) parts.push_back(process.why);
    if (process.power != Power::little && is_reachable(process)) parts.emplace_back("reachable from outside");
    return listed(parts);
}

constexpr std::array<std::string_view, 6> kHeads{"RIGHTS", "PROCESS", "USER",
                                                 "FILTER", "LISTENS", "WHY IT RANKS HERE"};
constexpr std::size_t kWhy = kHeads.size() - 1;
constexpr std::array<std::size_t, kWhy> kWidest{13, 22, 10, 6, 18};
using Cells = std::array<std::string, kHeads.size()>;

Cells cells_of(const Row& row) {
    const auto& one = *row.first;
    return {std::string(power_name(one.power)), process_in_words(row), one.user, filter_in_words(one),
            listens_in_words(one.listens),      why_in_words(one)};
}

std::string cut(std::string cell, std::size_t width) {
    while (width_of(cell) >= width) cell.pop_back();
    return printable(cell) + "~";  // what is left of a character that was cut in two becomes "?"
}

// A cell that is wider than its column may be is cut, but for the last, which is wrapped.
std::string line_of(const Cells& cells, const std::array<std::size_t, kWhy>& widths) {
    std::string line;
    for (std::size_t column = 0; column < kWhy; ++column) {
        auto cell = cells.at(column);
        if (width_of(cell) > widths.at(column)) cell = cut(std::move(cell), widths.at(column));
        line += padded(cell, widths.at(column) + 2);
    }
    return hanging(line, width_of(line), cells.at(kWhy));
}

std::string table_of(const std::vector<Row>& rows) {
    std::vector<Cells> lines{Cells{}};
    for (std::size_t column = 0; column < kHeads.size(); ++column)
        lines.front().at(column) = kHeads.at(column);
    for (const auto& row : rows) lines.push_back(cells_of(row));
    std::array<std::size_t, kWhy> widths{};
    for (std::size_t column = 0; column < kWhy; ++column)
        for (const auto& line : lines)
            widths.at(column) =
                std::min(std::max(widths.at(column), width_of(line.at(column))), kWidest.at(column));
    std::string text;
    for (const auto& line : lines) text += line_of(line, widths);
    return text;
}

// Alike ones together: as an ordinary user, much of every other user's process is.
std::string unread_of(const Survey& survey) {
    constexpr std::size_t kNamed = 3;
    std::map<std::string, std::vector<std::string>> by_reason;
    for (const auto& process : survey.processes)
        for (const auto& unread : process.unread)
            by_reason[unread].push_back(
                fmt::format("{} {}", printable(process.subject.command), process.subject.pid));
    std::string text;
    for (const auto& [unread, who] : by_reason) {
        const std::span named(who.data(), std::min(who.size(), kNamed));
        const auto more = who.size() - named.size();
        text += hanging("", 0,
                        fmt::format("Not read of {}{}: {}.", listed(named),
                                    more == 0 ? "" : fmt::format(" and {} more", more), unread));
    }
    for (const auto& unread : survey.unread) text += hanging("", 0, "Not seen: " + printable(unread) + ".");
    return text;
}

std::string sum_of(const Survey& survey, const std::vector<Row>& rows) {
    std::size_t shown = 0;
    for (const auto& row : rows) shown += row.processes;
    std::string text;
    if (const auto rest = survey.processes.size() - shown; rest > 0)
        text += fmt::format("{} more with no rights of note (--verbose). ", rest);
    text += fmt::format("{} of {} processes seen{}.", survey.seen, survey.all,
                        survey.seen == survey.all ? "" : " whole");
    if (survey.kernel_threads > 0) text += fmt::format(" Threads of the kernel: {}.", survey.kernel_threads);
    return hanging("", 0, text);
}

std::string keepers_of(const SurveyedNamespace& kept) {
    std::vector<std::string> once;
    for (const auto& handle : kept.handles)
        if (std::ranges::find(once, handle) == once.end()) once.push_back(printable(handle));
    return listed(once);
}

// What is there besides the machine's own; those in which nobody runs are told one by one.
std::string namespaces_of(const Survey& survey, Detail detail) {
    std::map<std::string, std::size_t> of_processes;
    std::string alone, all;
    for (const auto& kept : survey.namespaces) {
        if (kept.tasks > 0 && !kept.machines) ++of_processes[kept.type];
        if (kept.tasks == 0)
            alone += hanging("  ", 4, fmt::format("{} {}: {}", kept.type, kept.id, keepers_of(kept)));
        if (detail == Detail::everything && kept.tasks > 0) {
            auto line = fmt::format("{} {}: {} {}, such as {}", kept.type, kept.id, kept.tasks,
                                    kept.tasks == 1 ? "task" : "tasks", printable(kept.first));
            if (kept.machines) line += ", the machine's own";
            if (const auto keepers = keepers_of(kept); !keepers.empty()) line += "; also " + keepers;
            all += hanging("  ", 4, line);
        }
    }
    std::vector<std::string> counts;
    for (const auto& [type, count] : of_processes) counts.push_back(fmt::format("{} {}", count, type));
    std::string text;
    if (!counts.empty())
        text += hanging("", 0, "Namespaces besides the machine's own: " + listed(counts) + ".");
    if (!all.empty()) text += "Namespaces with processes:\n" + all;
    if (!alone.empty()) text += "Namespaces kept alive by nobody's process:\n" + alone;
    return text;
}

}  // namespace

std::string survey_text(const Survey& survey, Detail detail) {
    const auto rows = rows_of(survey, detail);
    auto text = rows.empty() ? std::string() : table_of(rows);
    return text + sum_of(survey, rows) + unread_of(survey) + namespaces_of(survey, detail);
}

}  // namespace guard::report
