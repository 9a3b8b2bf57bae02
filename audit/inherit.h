#pragma once
#include "base/proc_status.h"
#include "posture/posture.h"

namespace guard::audit {

/// Whether a task descends from the recorded init of its container.
enum class Descent : bool { no, yes };

/// Fills in what nobody can read from outside (securebits, what the filters allow, Landlock) with what was
/// launched, where it is proved that the task inherited it: filters, Landlock domains, locked securebits and
/// no_new_privs can't be taken off, so a task that descends from init and carries no fewer filters than were
/// launched holds all of it, unless a tracer switched its filters off. Else each of them is unknown, with the
/// link of the proof that is missing. seccomp(2), landlock(7), PTRACE_O_SUSPEND_SECCOMP in ptrace(2)
void fill_inherited(Posture& observed, const Posture& launched, const ProcStatus& status, Descent descent);

}  // namespace guard::audit
