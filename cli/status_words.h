#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "launcher/life.h"

/// What `guard list` and `guard status` show.
namespace guard::cli {

/// One line a container; the heading only where there is one.
[[nodiscard]] std::string list_text(const std::vector<launcher::Status>& all);
[[nodiscard]] std::string status_text(const launcher::Status& one);
/// {"guard": 1, "containers": [...]}, numbers in bytes and millionths of a core.
[[nodiscard]] std::string statuses_json(const std::vector<launcher::Status>& all);

}  // namespace guard::cli
