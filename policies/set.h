#pragma once
#include <memory>
#include <string>
#include <vector>

#include "policies/settings.h"

namespace guard::policies {

/// One --set KEY=VALUE, read: VALUE is TOML, else taken as a string. Its settings replace what the files say.
struct SetLine {
    std::unique_ptr<Document> document;  ///< what the places point into
    FileSettings said;
};
[[nodiscard]] SetLine read_set(const std::string& text, std::vector<Diagnostic>& diagnostics);

/// Puts what --set says over what the files say.
void apply_set(const SetLine& line, std::vector<Setting>& settings);

}  // namespace guard::policies
