#pragma once
#include <map>
#include <string>

#include "audit/shared_facts.h"
#include "posture/posture.h"
#include "posture/record.h"

namespace guard::audit {

/// True for `leaf` itself and everything below it. cgroups(7)
[[nodiscard]] bool is_in_cgroup(const std::string& path, const std::string& leaf);

/// The limits that hold a task: the tightest from its cgroup up to the container's own (`leaves`: controller
/// -> path); where it has left that, up to the root. Of weights and of what nobody declared and nobody set,
/// nothing is said.
[[nodiscard]] Known<Named<Ceiling<std::uint64_t>>> limits_of(
    const CgroupPaths& at, const SharedFacts& shared, const std::map<std::string, std::string>& leaves,
    const Known<Named<Ceiling<std::uint64_t>>>& launched);
/// Cores its cgroup lets it run on; empty: all that are online.
[[nodiscard]] Known<Grants<std::uint32_t>> cpuset_of(const CgroupPaths& at, const SharedFacts& shared);

/// Cgroups of the container that somebody with one of its ids, or anybody, may write: "memory:/guard/x".
[[nodiscard]] Known<Grants<std::string>> writable_cgroups(const Bindings& bindings,
                                                          const SharedFacts& shared);

/// "nofile" and "nofile:soft" from the text of a limits file, for the names that were launched.
[[nodiscard]] Known<Named<Ceiling<std::uint64_t>>> rlimits_of(
    const Known<std::string>& text, const Known<Named<Ceiling<std::uint64_t>>>& launched);

}  // namespace guard::audit
