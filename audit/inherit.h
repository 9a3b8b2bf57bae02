#pragma once
#include <cstdint>

#include "base/proc_status.h"
#include "posture/posture.h"

namespace guard::audit {

/// Where a task comes from.
enum class Descent : std::uint8_t {
    no,       ///< not from the recorded first process of its container
    adopted,  ///< its parent is the first process, which also takes over those that came in from outside and
              ///< lost theirs
    yes,      ///< from the recorded command, or it is the first process itself
};

/// Fills in what /proc does not show (securebits, the bytes of the filters and what they allow, Landlock)
/// with what was launched, where it is proved that the task inherited it: filters, Landlock domains, locked
/// securebits and no_new_privs can't be taken off, so a task that descends from init and carries no fewer
/// filters than were launched holds all of it, unless a tracer switched its filters off. Else each of them is
/// unknown, with the link of the proof that is missing. The namespaces in `observed` are there already.
/// seccomp(2), landlock(7), PTRACE_O_SUSPEND_SECCOMP in ptrace(2)
void fill_inherited(Posture& observed, const Posture& launched, const ProcStatus& status, Descent descent);

}  // namespace guard::audit
