#pragma once
#include <nlohmann/json.hpp>

#include "report/findings.h"

namespace guard::report {

using Json = nlohmann::ordered_json;

/// What findings_json writes, for a command that has more to say beside it. docs/findings.schema.json
[[nodiscard]] Json findings_as_json(const Findings& findings);

}  // namespace guard::report
