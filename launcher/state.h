#pragma once
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "posture/record.h"

namespace guard::launcher {

/// Where guard keeps what. Root: /run/guard, /var/lib/guard, /var/cache/guard, /var/log/guard; else the XDG
/// folders.
struct StatePaths {
    std::string run, lib, cache, log;
};
[[nodiscard]] StatePaths state_paths();

/// NAME as CONTRACT section 4 has it: [a-z0-9][a-z0-9-]{0,62}.
[[nodiscard]] Result<void> check_name(const std::string& name);

/// The claim on a container's name: /run/guard/NAME with a lock held by the supervisor for the container's
/// life. Two launches of one name: one wins, the other fails with a sentence that says what to do.
struct Claim {
    std::string folder;
    UniqueFd lock;
};
/// Cleans up after a dead supervisor first. Fails where the container runs, or /run is full or read-only.
[[nodiscard]] Result<Claim> claim_name(const std::string& name);

/// Writes the record atomically into its folder; 0600.
[[nodiscard]] Result<void> save_record(const Record& record);
[[nodiscard]] Result<Record> load_record(const std::string& name);
/// The same for a name that a person gave: that there is none is said without an errno.
[[nodiscard]] Result<Record> named_record(const std::string& name);
/// Names with a folder under /run/guard, sorted.
[[nodiscard]] Result<std::vector<std::string>> recorded_names();

enum class Life { running, dead };
/// Dead where the supervisor has ended (checked by TaskId), or the record is of another boot.
[[nodiscard]] Life life_of(const Record& record);

/// Undoes all that the record names, in reverse, then removes its folder. What is gone already is fine; the
/// first failure is returned after everything was tried.
[[nodiscard]] Result<void> clean_up(const Record& record);
/// Cleans up after every dead supervisor; returns the names. Called by every guard command that changes
/// something.
std::vector<std::string> clean_up_dead();

/// The container's own range: 65,536 ids that no other container and no user of /etc/subuid has; kept in
/// /var/lib/guard/.state so that it is the same at the next launch, also after a crash in the middle of
/// writing.
struct IdRange {
    std::uint32_t base = 0, count = 0;
};
[[nodiscard]] Result<IdRange> id_range_for(const std::string& name);

}  // namespace guard::launcher
