#pragma once
#include <string>
#include <string_view>

#include "posture/order.h"
#include "posture/posture.h"
#include "posture/profile.h"

/// One difference from nothing granted, as a sentence for the owner.
namespace guard::report {

/// How the changes of one field read.
struct FieldWords {
    std::string_view field;  ///< of kFields
    std::string_view key;    ///< the profile's key that makes it so: "capabilities.allow"
    std::string (*say)(const Change& change, const Posture& posture);
};
/// The row of a field; there is one for each (a test proves it).
[[nodiscard]] const FieldWords* words_of(std::string_view field);

/// The path under which Origins holds the place of a change: "limits.memory", "capabilities.allow/CAP_KILL".
[[nodiscard]] std::string key_of(const Change& change);

/// "people on the home network may connect to port 25565/tcp".
[[nodiscard]] std::string published_in_words(const std::string& publish);

/// What is at one place of the file tree: "empty at each start, at most 64 MiB, may be written".
[[nodiscard]] std::string mount_in_words(const Mount& mount);

}  // namespace guard::report
