#pragma once
#include <string>

#include "posture/filter_rules.h"

namespace guard::support {

/// The rules of a file under tests/fixtures/filters; its first lines say how they are written. Ends the test
/// program where the file is not as it should be.
[[nodiscard]] FilterRules rules_file(const std::string& name);

}  // namespace guard::support
