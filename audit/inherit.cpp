#include "audit/inherit.h"

#include <linux/capability.h>

#include <algorithm>
#include <string>

namespace guard::audit {
namespace {

// The missing link of the proof, or nothing where it holds.
std::string missing_link(const Posture& launched, const ProcStatus& status, Descent descent) {
    if (descent == Descent::no) return "it does not descend from the container's first process";
    if (descent == Descent::adopted) return "its parent has ended, so it may have come from elsewhere";
    const auto* const no_new_privs = value_of(launched.no_new_privs);
    if (no_new_privs != nullptr && *no_new_privs == Lock::held && status.no_new_privs == 0)
        return "no_new_privs is not held";
    const auto* const filters = value_of(launched.seccomp.filters);
    if (filters == nullptr || filters->least == 0) return {};
    if (status.seccomp != 2) return "it has no system call filter";
    if (!status.seccomp_filters) return "this kernel does not count filters (5.9 does)";
    if (*status.seccomp_filters < filters->least) return "it has fewer filters than were launched";
    return {};
}

// Securebits are changed by CAP_SETPCAP (keep-caps by anyone) where they are not locked, and a new user
// namespace starts with none, locked or not. capabilities(7), user_namespaces(7)
std::string unlocked_link(const Posture& observed, const Posture& launched) {
    const auto* const bits = value_of(launched.securebits);
    const auto* const bounding = value_of(launched.caps.bounding);
    const auto held = [bits](const char* name) {
        const auto row = bits->find(name);
        return row != bits->end() && row->second == Lock::held;
    };
    if (bits == nullptr || bounding == nullptr) return "nobody says how they were launched";
    if (!held("keep-caps-locked")) return "keep-caps was not locked";
    const bool can_change = (bounding->mask >> CAP_SETPCAP & 1U) != 0;
    for (const auto* lock : {"noroot-locked", "no-setuid-fixup-locked", "no-cap-ambient-raise-locked"})
        if (can_change && !held(lock)) return std::string("it may change them: ") + lock + " was not held";
    const auto user_of = [](const Posture& posture) {
        const auto* const all = value_of(posture.namespaces);
        return all == nullptr || !all->contains("user") ? Relation{} : all->at("user");
    };
    if (value_of(observed.namespaces) == nullptr) return "its user namespace could not be read";
    return user_of(observed) == user_of(launched)
               ? ""
               : "it is in another user namespace, which starts without them";
}

}  // namespace

void fill_inherited(Posture& observed, const Posture& launched, const ProcStatus& status, Descent descent) {
    const auto missing = missing_link(launched, status, descent);
    const auto fill = [&missing](auto& field, const auto& as_launched, const std::string& further) {
        if (missing.empty() && further.empty())
            field = as_launched;
        else
            field = Unknown{0, "not readable from outside, and not proved inherited: " +
                                   (missing.empty() ? further : missing)};
    };
    const std::string switched_off =
        status.tracer == 0 ? "" : "a tracer is attached, which can switch filters off";
    fill(observed.securebits, launched.securebits, unlocked_link(observed, launched));
    fill(observed.seccomp.content, launched.seccomp.content, "");
    fill(observed.seccomp.access, launched.seccomp.access, switched_off);
    fill(observed.landlock.domain, launched.landlock.domain, "");
    fill(observed.landlock.read, launched.landlock.read, "");
    fill(observed.landlock.write, launched.landlock.write, "");
    fill(observed.landlock.execute, launched.landlock.execute, "");
}

}  // namespace guard::audit
