#pragma once
#include <string>
#include <vector>

#include "policies/document.h"
#include "policies/key.h"

namespace guard::policies {

/// `replace = [...]` of one table: what was inherited for these keys is dropped.
struct Replacement {
    std::vector<std::string> path;
    Place place;
};

/// What one file says, flat and in the order of the file.
struct FileSettings {
    std::vector<Setting> settings;
    std::vector<Replacement> replaced;
    std::vector<std::string>
        broken;  ///< paths that are said wrongly: what is missing there is no second error
};

/// Checks a file against a key table: every unknown key, wrong kind and value out of range becomes a
/// diagnostic; what is right becomes a setting. What is missing is told only of a document that was parsed to
/// its end.
enum class Extent : bool { part, whole };
[[nodiscard]] FileSettings read_settings(const Document& document, const KeyIndex& index, Extent extent,
                                         std::vector<Diagnostic>& diagnostics);

/// The setting of exactly this path, or null.
[[nodiscard]] const Setting* find_setting(const std::vector<Setting>& settings, std::string_view path);

}  // namespace guard::policies
