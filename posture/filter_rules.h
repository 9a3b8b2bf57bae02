#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace guard {

/// One set of arguments: for each of the six, the bits in `mask` must equal those in `value`. A mask of 0
/// asks nothing. Every condition of the language comes down to a union of these, for this is the one shape
/// that every compiler of filters translates as written. seccomp_rule_add(3) SCMP_CMP_MASKED_EQ
struct Cube {
    std::array<std::uint64_t, 6> mask{}, value{};
    auto operator<=>(const Cube&) const = default;
};

/// The arguments under which one call is allowed: the union of the cubes. One empty cube = always.
struct CallRule {
    std::vector<Cube> when;
    bool operator==(const CallRule&) const = default;
    [[nodiscard]] bool always() const { return when.size() == 1 && when.front() == Cube{}; }
};

/// What a call that is not allowed is answered.
enum class Denial : std::uint8_t { eperm, enosys, kill, allow_and_log };
struct DenialRow {
    Denial denial;
    std::string_view name;  ///< as profiles write it
};
inline constexpr auto kDenials = std::to_array<DenialRow>({
    {Denial::eperm, "EPERM"},
    {Denial::enosys, "ENOSYS"},
    {Denial::kill, "kill"},
    {Denial::allow_and_log, "allow-and-log"},
});

/// What a filter allows: the meaning of [seccomp] with groups expanded and denials taken away. The order of
/// rules means nothing. A call that is not in `calls` is denied.
struct FilterRules {
    std::map<std::string, CallRule> calls;  ///< by the kernel's name
    std::set<std::string> absent;           ///< answered ENOSYS, so that libc takes an older call
    Denial on_denied = Denial::eperm;       ///< for known calls
    Denial on_unknown = Denial::enosys;     ///< for numbers newer than the table of system calls
    bool log_denied = false;
    std::set<std::string> abis = {"native"};  ///< any other is killed
    bool operator==(const FilterRules&) const = default;
};

/// `from` without `take`, as disjoint cubes (at most 384).
[[nodiscard]] std::vector<Cube> without(const Cube& from, const Cube& take);
/// The union `from` without the union `take`.
[[nodiscard]] std::vector<Cube> without(const std::vector<Cube>& from, const std::vector<Cube>& take);
/// What both allow; none where nothing is.
[[nodiscard]] std::optional<Cube> both(const Cube& one, const Cube& other);
/// The union of what both of any pair allow: "this and that" of two conditions.
[[nodiscard]] std::vector<Cube> both(const std::vector<Cube>& one, const std::vector<Cube>& other);
/// The same set in fewer cubes, in one order: those inside another are gone, and two that differ in one bit
/// are joined. Not the least number there is, but the same for the same input in any order.
[[nodiscard]] std::vector<Cube> simplified(std::vector<Cube> cubes);
/// True where every argument that `inner` allows is allowed by `outer` too. Exact.
[[nodiscard]] bool implies(const CallRule& inner, const CallRule& outer);

/// Whether it lets memory be made writable and executable at once. mmap(2), mprotect(2)
[[nodiscard]] bool allows_write_exec(const FilterRules& rules);

/// "always", or the condition in words with named arguments and constants: "domain is AF_UNIX, AF_INET or
/// AF_INET6"; "never" where there is none. Of what `except` allows nothing is said.
[[nodiscard]] std::string describe_rule(std::string_view call, const CallRule& rule,
                                        const CallRule& except = {});

}  // namespace guard
