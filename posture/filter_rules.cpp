#include "posture/filter_rules.h"

#include <algorithm>
#include <bit>

#include "posture/filter/rules_diagram.h"

namespace guard {
namespace {

bool disjoint(const Cube& one, const Cube& other) {
    for (std::size_t i = 0; i < one.mask.size(); ++i)
        if (((one.value[i] ^ other.value[i]) & one.mask[i] & other.mask[i]) != 0) return true;
    return false;
}

// Every argument in `inner` is in `outer`: what `outer` asks, `inner` asks too.
bool inside(const Cube& inner, const Cube& outer) {
    for (std::size_t i = 0; i < inner.mask.size(); ++i) {
        if ((outer.mask[i] & ~inner.mask[i]) != 0) return false;
        if (((inner.value[i] ^ outer.value[i]) & outer.mask[i]) != 0) return false;
    }
    return true;
}

// Bits that no mask asks about have no value, so that equal sets compare equal.
Cube normalised(Cube cube) {
    for (std::size_t i = 0; i < cube.mask.size(); ++i) cube.value[i] &= cube.mask[i];
    return cube;
}

// The bit in which two cubes of one mask differ, where it is exactly one: without it they are one cube.
std::optional<Cube> joined(const Cube& one, const Cube& other) {
    if (one.mask != other.mask) return std::nullopt;
    int differing = 0;
    Cube cube = one;
    for (std::size_t i = 0; i < one.mask.size(); ++i) {
        const std::uint64_t bits = one.value[i] ^ other.value[i];
        differing += std::popcount(bits);
        cube.mask[i] &= ~bits;
        cube.value[i] &= ~bits;
    }
    return differing == 1 ? std::optional(cube) : std::nullopt;
}

void drop_contained(std::vector<Cube>& cubes) {
    std::ranges::sort(cubes);
    cubes.erase(std::ranges::unique(cubes).begin(), cubes.end());
    const auto all = cubes;
    std::erase_if(cubes, [&all](const Cube& cube) {
        return std::ranges::any_of(
            all, [&cube](const Cube& other) { return inside(cube, other) && other != cube; });
    });
}

// One pass of joins; every cube takes part in at most one. True where one was made.
bool join_pairs(std::vector<Cube>& cubes) {
    std::vector<Cube> next;
    std::vector<bool> used(cubes.size());
    for (std::size_t i = 0; i < cubes.size(); ++i) {
        for (std::size_t j = i + 1; j < cubes.size() && !used[i]; ++j) {
            if (used[j]) continue;
            const auto cube = joined(cubes[i], cubes[j]);
            if (!cube) continue;
            next.push_back(*cube);
            used[i] = used[j] = true;
        }
        if (!used[i]) next.push_back(cubes[i]);
    }
    const bool made = next.size() < cubes.size();
    cubes = std::move(next);
    return made;
}

}  // namespace

std::vector<Cube> without(const Cube& from, const Cube& take) {
    if (disjoint(from, take)) return {normalised(from)};
    std::vector<Cube> rest;
    Cube prefix = normalised(from);
    for (std::size_t i = 0; i < from.mask.size(); ++i) {
        // Highest bit first: what is left of an interval is then a few intervals.
        for (std::uint64_t bits = take.mask[i] & ~from.mask[i]; bits != 0;) {
            const std::uint64_t bit = std::bit_floor(bits);
            bits ^= bit;
            prefix.mask[i] |= bit;
            Cube piece = prefix;
            piece.value[i] |= ~take.value[i] & bit;
            prefix.value[i] |= take.value[i] & bit;
            rest.push_back(piece);
        }
    }
    return rest;
}

std::vector<Cube> without(const std::vector<Cube>& from, const std::vector<Cube>& take) {
    std::vector<Cube> rest = from;
    for (const auto& cut : take) {
        std::vector<Cube> next;
        for (const auto& cube : rest) {
            auto pieces = without(cube, cut);
            next.insert(next.end(), pieces.begin(), pieces.end());
        }
        rest = std::move(next);
    }
    return rest;
}

std::optional<Cube> both(const Cube& one, const Cube& other) {
    if (disjoint(one, other)) return std::nullopt;
    Cube cube = normalised(one);
    for (std::size_t i = 0; i < cube.mask.size(); ++i) {
        cube.mask[i] |= other.mask[i];
        cube.value[i] |= other.value[i] & other.mask[i];
    }
    return cube;
}

std::vector<Cube> both(const std::vector<Cube>& one, const std::vector<Cube>& other) {
    std::vector<Cube> all;
    for (const auto& left : one)
        for (const auto& right : other)
            if (const auto cube = both(left, right)) all.push_back(*cube);
    return all;
}

std::vector<Cube> simplified(std::vector<Cube> cubes) {
    std::ranges::transform(cubes, cubes.begin(), normalised);
    drop_contained(cubes);
    while (join_pairs(cubes)) drop_contained(cubes);
    return cubes;
}

// Most cubes are inside one other, or meet none: only for the rest a diagram has to be made.
bool implies(const CallRule& inner, const CallRule& outer) {
    std::vector<Cube> open;
    for (const auto& cube : inner.when)
        if (std::ranges::none_of(outer.when, [&cube](const Cube& other) { return inside(cube, other); }))
            open.push_back(cube);
    if (open.empty()) return true;
    std::vector<Cube> near;
    for (const auto& other : outer.when)
        if (!std::ranges::all_of(open, [&other](const Cube& cube) { return disjoint(cube, other); }))
            near.push_back(other);
    if (near.size() < 2) return false;
    Diagrams diagrams;
    const auto inside_of = condition_of(diagrams, open, ~0ULL);
    const auto all = condition_of(diagrams, near, ~0ULL);
    const auto outside = diagrams.choose(all, Diagrams::kFalse, inside_of);
    return diagrams.exhausted() ? without(open, near).empty() : outside == Diagrams::kFalse;
}

bool allows_write_exec(const FilterRules& rules) {
    constexpr std::uint64_t kWriteExec = 0x6;  // PROT_WRITE | PROT_EXEC
    Cube both_at_once;
    both_at_once.mask[2] = both_at_once.value[2] = kWriteExec;
    return std::ranges::any_of(
        std::to_array<const char*>({"mmap", "mprotect", "pkey_mprotect"}), [&](const char* call) {
            const auto rule = rules.calls.find(call);
            return rule != rules.calls.end() && std::ranges::any_of(rule->second.when, [&](const Cube& cube) {
                       return both(cube, both_at_once).has_value();
                   });
        });
}

}  // namespace guard
