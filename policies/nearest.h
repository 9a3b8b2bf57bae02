#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace guard {

/// The candidate that `word` most likely meant: few letters changed, left out, added or swapped, in any case;
/// or the one candidate that contains it ("net_admin"). None where nothing is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word,
                                                 const std::vector<std::string_view>& candidates);

/// "did you mean `memory`?", or `otherwise` where nothing is near.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                                       std::string otherwise = "");

}  // namespace guard
