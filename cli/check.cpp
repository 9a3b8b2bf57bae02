#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <map>

#include "base/sys.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/profile_input.h"
#include "cli/result.h"
#include "policies/filter_cache.h"
#include "policies/filter_compile.h"
#include "policies/lint.h"
#include "posture/risks.h"
#include "report/checked.h"
#include "report/diagnostics.h"
#include "report/verdict.h"

namespace guard::cli {
namespace {

using std::chrono::year_month_day;

// Profiles that differ in nothing but names and limits have one filter: it is compiled and proved once.
class Compiler {
public:
    // A filter that can't be compiled is as wrong as a key that can't be read.
    void compile(report::Checked& checked, const FilterRules& rules) {
        const auto meaning = policies::cache_key(rules);
        auto row = known_.find(meaning);
        if (row == known_.end()) row = known_.emplace(meaning, policies::compile_filter(rules)).first;
        if (row->second)
            checked.instructions = row->second->size() / sizeof(sock_filter);
        else
            checked.diagnostics.push_back({Level::error, describe(row->second.error()), {}});
    }

private:
    std::map<std::string, Result<std::string>> known_;
};

// Everything that was asked for, and what was found in it.
struct Check {
    std::vector<report::Checked> profiles;
    std::vector<Profile> whole;  // those without an error
    Compiler compiler;
    report::Findings findings{.command = "check", .units = "profile"};
};

// A file of a group stands in a folder `groups`, as on the search path.
bool is_group(const std::string& name) {
    const auto slash = name.rfind('/');
    return slash != std::string::npos && name.ends_with(".toml") &&
           ("/" + name.substr(0, slash)).ends_with("/groups");
}

bool is_directory(const std::string& path) {
    const auto status = sys::fstatat(AT_FDCWD, path);
    return status && S_ISDIR(status->st_mode);
}

std::vector<std::string> files_in(const std::string& directory) {
    std::vector<std::string> files;
    const auto names = sys::list_directory(AT_FDCWD, directory);
    if (!names) return files;
    for (const auto& name : *names)
        if (name.ends_with(".toml") && !name.starts_with('.')) files.push_back(directory + "/" + name);
    std::ranges::sort(files);
    return files;
}

// A word without a slash is a profile's name first.
bool names_directory(const std::string& operand) {
    const bool names_path = operand.find('/') != std::string::npos || operand.starts_with('.');
    const auto known = names_path ? std::vector<std::string>{} : profile_names(profile_search_path());
    return std::ranges::find(known, operand) == known.end() && is_directory(operand);
}

// A directory stands for the profiles in it and for the groups beside them.
std::vector<std::string> expanded(const std::vector<std::string>& operands) {
    std::vector<std::string> names;
    for (auto operand : operands) {
        if (!names_directory(operand)) {
            names.push_back(operand);
            continue;
        }
        while (operand.size() > 1 && operand.ends_with('/')) operand.pop_back();
        const auto before = names.size();
        for (const auto& directory : {operand, operand + "/groups"})
            std::ranges::move(files_in(directory), std::back_inserter(names));
        if (names.size() == before) names.push_back(operand);  // the error of reading it says why
    }
    return names;
}

// A name of its own for each profile: two files of one name are told apart by their paths.
std::string unit_for(const Check& check, const Profile& profile, const std::string& name) {
    const bool taken =
        std::ranges::find(check.profiles, profile.name, &report::Checked::unit) != check.profiles.end();
    return taken ? name : profile.name;
}

void add_profile(Check& check, const LoadOptions& options, const std::string& name, year_month_day today) {
    auto loaded = load_profile(name, options);
    report::Checked checked{.name = name, .unit = name, .diagnostics = loaded.diagnostics};
    const auto file = loaded.profile ? loaded.profile->sources.front().path : name;
    if (loaded.profile) {
        checked.unit = unit_for(check, *loaded.profile, name);
        checked.files = loaded.profile->sources.size();
        const auto* const rules = value_of(loaded.profile->posture.seccomp.access);
        checked.calls = rules == nullptr ? 0 : rules->calls.size();
        check.compiler.compile(checked, rules == nullptr ? FilterRules{} : *rules);
        std::ranges::move(lint(loaded, checked.unit, today), std::back_inserter(check.findings.findings));
        check.whole.push_back(std::move(*loaded.profile));
    }
    const auto questions = risks().size() + risk_pairs().size() + lint_checks().size();
    check.findings.examined.push_back({checked.unit, 0, questions, file});
    check.profiles.push_back(std::move(checked));
}

void add_group(Check& check, const LoadOptions& options, const std::string& name) {
    report::Checked checked{.name = name, .unit = name, .diagnostics = check_group(name, options)};
    checked.files = 1;
    check.profiles.push_back(std::move(checked));
}

void add_sums(Check& check) {
    struct sysinfo machine{};
    if (::sysinfo(&machine) < 0) return;
    std::vector<const Profile*> profiles;
    for (const auto& profile : check.whole) profiles.push_back(&profile);
    std::ranges::move(lint_together(profiles, std::uint64_t{machine.totalram} * machine.mem_unit),
                      std::back_inserter(check.findings.findings));
}

Check run(const Invocation& invocation) {
    const year_month_day today(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
    auto options = load_options(invocation);
    options.lint = LoadOptions::Lint::yes;
    options.cache = make_file_cache();
    Check check;
    for (const auto& name : expanded(invocation.operands))
        is_group(name) ? add_group(check, options, name) : add_profile(check, options, name, today);
    add_sums(check);
    check.findings.findings = merged(std::move(check.findings.findings));
    return check;
}

int status_of(const Check& check) {
    for (const auto& checked : check.profiles)
        if (report::has_error(checked.diagnostics)) return kUsage;
    const auto counts = report::counts_of(check.findings.findings);
    return static_cast<int>(
        report::outcome_of(counts, check.findings.bar.fail_on, check.findings.bar.unknowns));
}

// Text and JSON have a place of their own for errors; in every other format they are findings too.
report::Findings with_errors(const Check& check) {
    auto findings = check.findings;
    for (const auto& checked : check.profiles)
        for (const auto& error : checked.diagnostics) {
            if (error.level != Level::error) continue;
            const auto where = error.marks.empty() ? Where{} : error.marks.front().where;
            findings.findings.push_back(
                raise("profile.error", {.unit = checked.unit}, "", error.message, where));
        }
    findings.findings = merged(std::move(findings.findings));
    return findings;
}

std::string shown(const Check& check, std::string_view format, const report::CheckedView& view) {
    if (format == "text") return report::checked_text(check.profiles, check.findings, view);
    if (format == "json") return report::checked_json(check.profiles, check.findings);
    return written(with_errors(check), format, view.colour);
}

}  // namespace

int run_check(const Invocation& invocation) {
    auto check = run(invocation);
    check.findings.bar = bar_of(invocation);
    describe_run(check.findings);
    const bool all = invocation.has("verbose");
    report::CheckedView view{.least = all ? Severity::info : check.findings.bar.fail_on, .waived = all};
    return give_result(invocation, status_of(check), [&](std::string_view format, report::Colour colour) {
        view.colour = colour;
        return shown(check, format, view);
    });
}

}  // namespace guard::cli
