#pragma once
#include <functional>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "report/colour.h"
#include "report/findings.h"

namespace guard::cli {

/// The result in one of the formats that the command's --format names.
using Write = std::function<std::string(std::string_view format, report::Colour colour)>;

/// Writes each --output FORMAT:FILE (a regular file is replaced in one step), then the result on stdout in
/// --format; as `github`, also as Markdown into the file that $GITHUB_STEP_SUMMARY names. Returns `status`,
/// or 2 with a complaint where something could not be written.
[[nodiscard]] int give_result(const Invocation& invocation, int status, const Write& write);

/// What counts for --fail-on and --allow-unknown.
[[nodiscard]] report::Bar bar_of(const Invocation& invocation);
/// Fills in what formats need to know of this run: the version, the work tree.
void describe_run(report::Findings& findings);

/// The findings in one of their formats; any other word is text.
[[nodiscard]] std::string written(const report::Findings& findings, std::string_view format,
                                  report::Colour colour);

/// give_result of findings, in any of their formats. Returns the exit status of what counts.
[[nodiscard]] int give_findings(const Invocation& invocation, report::Findings findings);

/// The same where more than the findings decides the status: the caller fills in `findings.bar` too.
[[nodiscard]] int give_findings(const Invocation& invocation, report::Findings findings, int status);

}  // namespace guard::cli
