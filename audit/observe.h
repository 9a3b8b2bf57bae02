#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "audit/exact.h"
#include "audit/inherit.h"
#include "audit/shared_facts.h"
#include "audit/task.h"
#include "base/guard_table.h"
#include "posture/record.h"

namespace guard::audit {

/// A task of a container as it was read.
struct SeenTask {
    pid_t pid = 0, tid = 0;
    TaskFacts facts;
    TaskDetails details;
    bool leader_ended = false;        ///< the first thread of its process is a zombie
    std::optional<ExactFacts> exact;  ///< where the kernel was asked
};

/// What a container's tasks are told against.
struct Frame {
    const Record* record = nullptr;
    const SharedFacts* shared = nullptr;
    const NamespaceTable* namespaces = nullptr;
    const std::map<pid_t, pid_t>* parents = nullptr;      ///< of every process of this machine
    const std::map<pid_t, std::string>* names = nullptr;  ///< the same
    std::map<std::uint64_t, std::string> owners;          ///< namespace id -> the other container it is of
    Known<std::vector<TableWord>> table;                  ///< what guard's packet filter lets through
};

[[nodiscard]] inline Lock held_if(bool held) { return held ? Lock::held : Lock::open; }

/// What means the same in any posture: capabilities, no_new_privs, and whether somebody traces it.
void observe_status(Posture& posture, const ProcStatus& status);

/// The posture of a task, in the words of its container. `launched` is what it is expected to be (the
/// command's, or the reaper's): where the kernel shows more than one value for a field, that decides which is
/// shown, and it is what is inherited.
[[nodiscard]] Posture observe(const SeenTask& task, const Frame& frame, const Posture& launched,
                              Descent descent);

}  // namespace guard::audit
