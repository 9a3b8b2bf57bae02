#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "posture/checks.h"
#include "posture/order.h"
#include "posture/posture.h"

/// What is dangerous for a program to have, and why: the table that ranks what a profile grants (`guard
/// check`) and what a change newly allows (`guard review`).
namespace guard {

/// Asks one argument of a call: a call is risky where the allowed arguments meet this.
struct RiskArgument {
    enum class Match : bool { one_of, none_of };
    std::string_view argument;   ///< its name in posture/syscalls.h; empty: no test
    std::uint64_t mask = ~0ULL;  ///< the bits that are compared, of those the kernel looks at
    std::array<std::uint64_t, 6> values{};
    std::size_t count = 0;  ///< how many of `values` count
    Match match = Match::one_of;
};

/// Which changes of a posture bring a risk. Declarative, so that the table is its own documentation.
struct RiskMatch {
    std::string_view field;  ///< "seccomp.access"; "caps" stands for all five sets
    std::string_view items;  ///< those alone, as compare names them, blanks between; empty: any
    std::array<RiskArgument, 2> arguments{};  ///< of a system call: both must hold
    /// Where more must hold of the item in the posture that has it; null: it is enough that it is there.
    bool (*when)(const std::string& item, const Posture& posture) = nullptr;
};

/// One thing that is dangerous by itself.
struct Risk {
    Check check;  ///< `looser` is its rank; the id begins with the field's: "seccomp.io-uring"
    RiskMatch match;
    std::string_view needed_by;  ///< what does need it, for the owner who wonders; may be empty
};

/// Two things that are worse together than each alone.
struct RiskPair {
    Check check;
    RiskMatch one, other;
    std::string_view needed_by;
};

[[nodiscard]] std::span<const Risk> risks();
[[nodiscard]] std::span<const RiskPair> risk_pairs();

/// A right that carries a risk: where it is in a posture.
struct RiskSite {
    std::string field, item;  ///< as in the Change that brings it: "caps.bounding", "CAP_SYS_ADMIN"
    std::string says;         ///< how it is granted, in words: "held", "always", "tmpfs, write, exec"
    bool operator==(const RiskSite&) const = default;
};

/// A risk that somebody takes, by one right or, for a pair, by two.
struct RiskTaken {
    const Check* check = nullptr;
    std::string_view needed_by;
    std::vector<RiskSite> sites;  ///< one, or the two of a pair
    [[nodiscard]] Severity rank() const { return check->looser; }
};

/// The risks that one change from `from` to `to` brings by itself, worst first: empty where it takes rights
/// away, or where `from` had the risk already. Of a system call only what is newly allowed counts: a wider
/// `personality` is a risk by the values that come in.
[[nodiscard]] std::vector<RiskTaken> risks_of(const Change& change, const Posture& from, const Posture& to);

/// All risks that `to` takes and `from` does not, pairs included, each once however many fields carry it,
/// worst first. Against nothing_granted(): every risk that a profile takes.
[[nodiscard]] std::vector<RiskTaken> risks_between(const Posture& from, const Posture& to);

}  // namespace guard
