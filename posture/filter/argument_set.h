#pragma once
#include <cstdint>
#include <vector>

#include "posture/filter/diagram.h"

namespace guard {

/// Numbers from `low` to `high`, both included.
struct Range {
    std::uint64_t low = 0, high = 0;
    bool operator==(const Range&) const = default;
};
/// Numbers whose bits in `mask` are one of `values`.
struct Masked {
    std::uint64_t mask = 0;
    std::vector<std::uint64_t> values;
    bool operator==(const Masked&) const = default;
};

/// What one argument has to be: in one of `ranges`, or one of `masked`; where `outside`, in none of them.
struct ArgumentTest {
    unsigned argument = 0;
    std::uint64_t bits = 0;  ///< those that are looked at
    unsigned width = 64;     ///< ranges are of the low 16, of the low 32 or of all 64 bits
    bool outside = false;
    std::vector<Range> ranges;
    std::vector<Masked> masked;
    bool operator==(const ArgumentTest&) const = default;
};
/// Arguments that pass all of some tests, at most one an argument; without a test, any arguments.
using ArgumentCase = std::vector<ArgumentTest>;

/// A set of arguments, exactly: those of any case, where `complete`. No case is inside another.
struct ArgumentSet {
    std::vector<ArgumentCase> cases;
    bool complete = true;     ///< false: it would be too long to read, and `cases` is only its beginning
    bool by_address = false;  ///< the address of the call counts too; cases hold for some addresses
    [[nodiscard]] bool always() const { return cases.size() == 1 && cases.front().empty() && complete; }
    bool operator==(const ArgumentSet&) const = default;
};

/// The arguments for which a condition holds, that asks for nothing before the first argument, in the
/// shortest of several forms: ranges, or bits under a mask, of those or of all others.
[[nodiscard]] ArgumentSet arguments_where(Diagrams& diagrams, Diagrams::Node condition);

}  // namespace guard
