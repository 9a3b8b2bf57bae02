#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "posture/posture.h"

/// The values of a posture in words, as changes, findings and explanations show them.
namespace guard {

[[nodiscard]] std::string in_words(Lock lock);
[[nodiscard]] std::string in_words(const Unknown& unknown);
[[nodiscard]] std::string in_words(const Relation& relation);
[[nodiscard]] std::string in_words(const IdLine& line);
[[nodiscard]] std::string in_words(MountGrant grant);
[[nodiscard]] std::string in_words(const Mount& mount);
[[nodiscard]] std::string in_words(Denial denial);
[[nodiscard]] inline std::string in_words(const std::string& text) { return text; }
[[nodiscard]] inline std::string in_words(std::uint32_t number) { return std::to_string(number); }
/// What a mount is, without what it grants: "tmpfs", "bind of /home/alice/music".
[[nodiscard]] std::string kind_in_words(const Mount& mount);
/// An exact value of a field: octal for a umask, hexadecimal for a personality.
[[nodiscard]] std::string in_words(std::string_view field, const Exact<std::uint32_t>& value);
[[nodiscard]] inline std::string in_words(std::string_view, const Exact<std::string>& value) {
    return value.value;
}
/// A bound with the unit of its row in kLimits or kRlimits: "2 GiB", "1.5 cores", "none".
[[nodiscard]] std::string bound_in_words(const std::string& item, const std::optional<std::uint64_t>& bound);

}  // namespace guard
