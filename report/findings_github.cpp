#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/finding_words.h"
#include "report/findings.h"
#include "report/layout.h"
#include "report/place.h"

// Workflow commands of GitHub Actions: "::error file=profiles/base.toml,line=16::...". It shows ten of a kind
// beside the code and drops the others, so that these are written as plain lines of the log.
namespace guard::report {
namespace {

constexpr std::size_t kMostShown = 10;

enum class Kind : std::uint8_t { error, warning, notice };

Kind kind_of(const Finding& finding) {
    if (finding.waiver) return Kind::notice;
    if (finding.verdict == Verdict::unknown) return Kind::warning;
    if (finding.severity >= Severity::high) return Kind::error;
    return finding.severity == Severity::medium ? Kind::warning : Kind::notice;
}

// In a message, and (with ':' and ',') in a property: what would end it.
std::string escaped(std::string_view text, std::string_view also = "") {
    std::string result;
    for (const char byte : text)
        result += byte == '%' || byte == '\r' || byte == '\n' || also.find(byte) != std::string_view::npos
                      ? fmt::format("%{:02X}", static_cast<unsigned char>(byte))
                      : std::string(1, byte);
    return result;
}
std::string property(std::string_view text) { return escaped(text, ":,"); }

std::string properties(const Finding& finding, const Findings& all) {
    const auto title =
        property(fmt::format("{}: {} ({})", rank_of(finding), units_in_words(finding), finding.check->id));
    const auto place = place_of(finding, all);
    if (!place) return "title=" + title;
    return fmt::format("file={},line={},col={},title={}", property(printable(place->path)), place->line,
                       place->column, title);
}

std::string annotation(Kind kind, const Finding& finding, const Findings& all) {
    constexpr std::array<std::string_view, 3> kCommands{"error", "warning", "notice"};
    auto message = sentence_of(finding);
    const bool unknown = finding.verdict == Verdict::unknown;  // the sentence says why already
    if (const auto why = why_of(finding); !why.empty() && !unknown) message += "\nwhy: " + why;
    if (const auto fix = fix_of(finding, all); !fix.empty()) message += "\ndo: " + fix;
    return fmt::format("::{} {}::{}\n", kCommands.at(static_cast<std::size_t>(kind)),
                       properties(finding, all), escaped(message));
}

std::string log_line(const Finding& finding, const Findings& all) {
    const auto place = place_of(finding, all);
    const auto where = place ? fmt::format(" at {}:{}", printable(place->path), place->line) : "";
    return fmt::format("{}  {}  {} ({}){}\n", rank_of(finding), units_in_words(finding), sentence_of(finding),
                       finding.check->id, where);
}

std::string last_line(const Findings& all, std::size_t left) {
    const auto words = counts_in_words(counts_of(all.findings));
    const auto shown = left == 0 ? ""
                                 : fmt::format(
                                       "; {} only in this log and the summary: {} of a kind are "
                                       "shown beside the code",
                                       left, kMostShown);
    return fmt::format("guard {}: {}{}\n", all.command, words.empty() ? "nothing found" : words, shown);
}

}  // namespace

std::string findings_github(const Findings& findings) {
    std::array<std::size_t, 3> counts{};
    std::array<std::string, 3> annotations;
    std::string log;
    std::size_t left = 0;
    for (const auto& finding : findings.findings) {
        const auto kind = static_cast<std::size_t>(kind_of(finding));
        if (++counts.at(kind) <= kMostShown) {
            annotations.at(kind) += annotation(static_cast<Kind>(kind), finding, findings);
        } else {
            log += log_line(finding, findings);
            ++left;
        }
    }
    return annotations[0] + annotations[1] + annotations[2] + log + last_line(findings, left);
}

}  // namespace guard::report
