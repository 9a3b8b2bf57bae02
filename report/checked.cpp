#include "report/checked.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "report/diagnostics.h"
#include "report/layout.h"

namespace guard::report {
namespace {

std::size_t count_of(const Checked& checked, Level level) {
    return static_cast<std::size_t>(std::ranges::count(checked.diagnostics, level, &Diagnostic::level));
}

std::string last_line(const Checked& checked) {
    const auto errors = count_of(checked, Level::error);
    const auto warnings = count_of(checked, Level::warning);
    const auto name = printable(checked.name);
    if (errors > 0) return fmt::format("{}: {}, nothing was compiled\n", name, counted(errors, "error"));
    const auto verdict = warnings == 0 ? "no errors" : "no errors, " + counted(warnings, "warning");
    if (!checked.instructions) return fmt::format("{}: {}\n", name, verdict);
    return hanging(name + ":", name.size() + 2,
                   fmt::format("{}; {} read, the filter allows {} and compiles to {}", verdict,
                               counted(checked.files, "file"), counted(checked.calls, "system call"),
                               counted(*checked.instructions, "instruction")));
}

}  // namespace

std::string checked_text(std::span<const Checked> profiles, Colour colour) {
    std::string text;
    for (const auto& checked : profiles)
        text += diagnostics_text(checked.diagnostics, colour) + last_line(checked);
    return text;
}

std::string checked_json(std::span<const Checked> profiles) {
    using Json = nlohmann::ordered_json;
    const auto place = [](const Mark& mark) {
        return Json{{"file", mark.where.file},
                    {"line", mark.where.line},
                    {"column", mark.where.column},
                    {"length", mark.length},
                    {"note", mark.note}};
    };
    auto list = Json::array();
    for (const auto& checked : profiles) {
        auto diagnostics = Json::array();
        for (const auto& one : checked.diagnostics) {
            auto marks = Json::array();
            for (const auto& mark : one.marks) marks.push_back(place(mark));
            diagnostics.push_back(
                {{"level", level_name(one.level)}, {"message", one.message}, {"marks", marks}});
        }
        list.push_back({{"name", checked.name},
                        {"ok", count_of(checked, Level::error) == 0},
                        {"files", checked.files},
                        {"calls", checked.calls},
                        {"instructions", checked.instructions ? Json(*checked.instructions) : Json(nullptr)},
                        {"diagnostics", diagnostics}});
    }
    const Json all{{"guard", 1}, {"profiles", list}};
    return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace guard::report
