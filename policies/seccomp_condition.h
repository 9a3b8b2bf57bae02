#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "posture/filter_rules.h"

namespace guard::policies {

/// One condition of a rule, in the words of the profile: `{ arg = "domain", in = ["AF_UNIX"] }`.
struct Condition {
    std::string arg;                  ///< a name of the call's arguments, or "0" to "5"
    std::optional<std::string> mask;  ///< numbers and constants joined by |
    enum class Op : std::uint8_t { in, not_in, at_least, at_most } op = Op::in;
    std::vector<std::string> values;  ///< the same each; at_least and at_most take exactly one
};

/// The arguments under which all `conditions` hold, as masked equalities. Only the bits that the kernel looks
/// at are compared: those above a 32-bit argument are the caller's to choose. Numbers compare without sign.
/// Fails with `attempt` a sentence that holds the wrong word in backticks, and `fix` the nearest known one.
[[nodiscard]] Result<CallRule> rule_of(const std::string& call, const std::vector<Condition>& conditions);

/// Nothing where the name is a system call of some architecture, else the same kind of error.
[[nodiscard]] Result<void> check_call_name(const std::string& call);

}  // namespace guard::policies
