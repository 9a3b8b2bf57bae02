#pragma once
#include <string>

#include "posture/survey.h"

/// A survey of the whole machine, written down.
namespace guard::report {

/// Whether processes and namespaces of no note are listed too.
enum class Detail : bool { notable, everything };

/// One line a process (equal ones share it), those that reach farthest first; then what was left out, what
/// could not be read, and the namespaces that no process keeps.
[[nodiscard]] std::string survey_text(const Survey& survey, Detail detail);
/// All of it. docs/survey.schema.json
[[nodiscard]] std::string survey_json(const Survey& survey);
/// Counts, for a text file collector.
[[nodiscard]] std::string survey_prometheus(const Survey& survey);

}  // namespace guard::report
