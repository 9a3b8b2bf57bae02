#include "cli/result.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "base/sys.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/parse.h"
#include "cli/version.h"
#include "report/layout.h"
#include "report/verdict.h"

namespace guard::cli {
namespace {

constexpr std::size_t kMostSummary = 1U << 20U;  // GitHub takes no larger summary of a step

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? std::string() : value;
}

// What is no regular file (a terminal, a pipe, /dev/stderr) is written to, not replaced.
Result<void> put(const std::string& path, std::string_view text) {
    const auto there = sys::fstatat(AT_FDCWD, path);
    if (!there || S_ISREG(there->st_mode)) return sys::replace_file(path, text, 0644, sys::Sync::no);
    const auto file = TRY(sys::open(path, O_WRONLY));
    return sys::write_all(file.get(), text, path);
}

Result<void> append_summary(const Write& write) {
    const auto path = variable("GITHUB_STEP_SUMMARY");
    if (path.empty()) return {};
    const auto file = TRY(sys::open(path, O_WRONLY | O_APPEND | O_CREAT, 0644));
    const auto there = static_cast<std::size_t>(TRY(sys::fstat(file.get())).st_size);
    const auto room = kMostSummary - std::min(kMostSummary, there);
    return sys::write_all(file.get(), report::shortened(write("markdown", report::Colour::off), room), path);
}

Result<void> write_outputs(const Invocation& invocation, const Write& write) {
    for (const auto& value : invocation.values("output")) {
        const auto output = output_of(value);
        CHECK(put(output.file, write(output.format, report::Colour::off)));
    }
    if (invocation.value("format") == "github") return append_summary(write);
    return {};
}

// The nearest folder at or above this one that holds `.git`; none: this one.
report::Tree work_tree() {
    std::error_code ignored;
    const auto folder = std::filesystem::current_path(ignored);
    for (auto at = folder; !at.empty(); at = at.parent_path()) {
        if (std::filesystem::exists(at / ".git", ignored)) return {at.string(), folder.string()};
        if (at == at.root_path()) break;
    }
    return {folder.string(), folder.string()};
}

Severity severity_of(const std::string& name) {
    for (const auto severity : {Severity::info, Severity::low, Severity::high, Severity::critical})
        if (severity_name(severity) == name) return severity;
    return Severity::medium;
}

}  // namespace

report::Bar bar_of(const Invocation& invocation) {
    return {severity_of(invocation.value("fail-on")),
            invocation.has("allow-unknown") ? report::Unknowns::accept : report::Unknowns::count};
}

void describe_run(report::Findings& findings) {
    findings.version = kVersion;
    if (auto tree = work_tree(); findings.tree.root.empty()) {
        if (!findings.tree.folder.empty()) tree.folder = findings.tree.folder;
        findings.tree = std::move(tree);
    }
    if (variable("GITHUB_ACTIONS") == "true") findings.sarif_reader = report::SarifReader::code_scanning;
}

std::string written(const report::Findings& findings, std::string_view format, report::Colour colour) {
    for (const auto& row : report::finding_formats())
        if (row.name == format) return row.write(findings);
    return report::findings_text(findings, colour);
}

int give_result(const Invocation& invocation, int status, const Write& write) {
    if (auto outputs = write_outputs(invocation, write); !outputs) {
        complain(outputs.error());
        return kUsage;
    }
    return answer(write(invocation.value("format", "text"), colour_of(invocation)), status);
}

int give_findings(const Invocation& invocation, report::Findings findings) {
    findings.bar = bar_of(invocation);
    const auto outcome =
        report::outcome_of(report::counts_of(findings.findings), findings.bar.fail_on, findings.bar.unknowns);
    return give_findings(invocation, std::move(findings), static_cast<int>(outcome));
}

int give_findings(const Invocation& invocation, report::Findings findings, int status) {
    describe_run(findings);
    return give_result(invocation, status, [&](std::string_view format, report::Colour colour) {
        return written(findings, format, colour);
    });
}

}  // namespace guard::cli
