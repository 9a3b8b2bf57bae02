#include "report/findings.h"

#include <fmt/format.h>

#include <map>

#include "report/finding_words.h"

namespace guard::report {

Counts counts_of(std::span<const Finding> findings) {
    Counts counts;
    for (const auto& finding : findings) {
        if (finding.waiver)
            ++counts.waived;
        else if (finding.verdict == Verdict::unknown)
            ++counts.unknown;
        else
            ++counts.by_severity.at(static_cast<std::size_t>(finding.severity));
    }
    return counts;
}

std::span<const FormatRow> finding_formats() {
    static constexpr auto kFormats = std::to_array<FormatRow>({
        {"json", findings_json},
        {"sarif", findings_sarif},
        {"markdown", findings_markdown},
        {"github", findings_github},
        {"gitlab", findings_gitlab},
        {"junit", findings_junit},
        {"prometheus", findings_prometheus},
    });
    return kFormats;
}

std::string fingerprint(const Finding& finding) {
    // FNV-1a, 64 bits: stable over versions and machines, which std::hash is not.
    std::uint64_t hash = 0xcbf29ce484222325U;
    const auto add = [&hash](std::string_view part) {
        for (const char byte : part) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
        hash = (hash ^ 0xFFU) * 0x100000001b3U;  // no byte of UTF-8: parts can't run together
    };
    add(unit_of(finding));
    add(finding.check->id);
    add(finding.item);
    add(verdict_name(finding.verdict));
    return fmt::format("{:016x}", hash);
}

std::vector<std::string> fingerprints(std::span<const Finding> findings) {
    std::map<std::string, std::size_t> seen;
    std::vector<std::string> prints;
    for (const auto& finding : findings) {
        auto print = fingerprint(finding);
        const auto count = ++seen[print];
        prints.push_back(count == 1 ? std::move(print) : fmt::format("{}-{}", print, count));
    }
    return prints;
}

}  // namespace guard::report
