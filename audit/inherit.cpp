#include "audit/inherit.h"

#include <string>

namespace guard::audit {
namespace {

// The missing link of the proof, or nothing where it holds.
std::string missing_link(const Posture& launched, const ProcStatus& status, Descent descent) {
    if (descent == Descent::no) return "it does not descend from the container's first process";
    if (status.tracer != 0) return "a tracer is attached, which can switch filters off";
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

}  // namespace

void fill_inherited(Posture& observed, const Posture& launched, const ProcStatus& status, Descent descent) {
    const auto missing = missing_link(launched, status, descent);
    const auto fill = [&missing](auto& field, const auto& as_launched) {
        if (missing.empty())
            field = as_launched;
        else
            field = Unknown{0, "not readable from outside, and not proved inherited: " + missing};
    };
    fill(observed.securebits, launched.securebits);
    fill(observed.seccomp.access, launched.seccomp.access);
    fill(observed.landlock.domain, launched.landlock.domain);
    fill(observed.landlock.read, launched.landlock.read);
    fill(observed.landlock.write, launched.landlock.write);
    fill(observed.landlock.execute, launched.landlock.execute);
}

}  // namespace guard::audit
