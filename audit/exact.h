#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/task_iterator.h"
#include "posture/filter/difference.h"
#include "posture/posture.h"

namespace guard::audit {

struct Scan;
struct SeenTask;

/// Who is asked for what /proc does not show: securebits, the bytes of filters, Landlock.
enum class Ask : std::uint8_t {
    when_unproved,  ///< the kernel, by BPF, where it is not proved that a task inherited what was launched
    bpf,            ///< the kernel, by BPF, about every task
    ptrace,         ///< the filters of every task by stopping it for a moment
};

/// All filters that were read along, and what was found out about them: most tasks carry the same.
struct ReadFilters {
    std::map<std::string, std::string> bytes;  ///< by filter_name
    /// What a stack of them lets through beyond some rules: by the rules and the names.
    std::map<std::pair<const FilterRules*, std::string>, Result<std::vector<FilterChange>>> looser;
};

/// What the kernel answered about one task; none: it was not asked.
struct ExactFacts {
    std::optional<Known<unsigned>> securebits;               ///< SECBIT_... of capabilities(7)
    std::optional<Known<std::vector<std::string>>> filters;  ///< by filter_name, newest first
    std::optional<Known<unsigned>> landlock_layers;
    std::vector<std::uint32_t>
        loads;                     ///< which load of a filter each of them is, numbered within one reading
    bool filters_in_force = true;  ///< no tracer has switched them off
    bool demanded = false;         ///< an answer that is missing counts, proved inherited or not
    std::shared_ptr<ReadFilters> read;  ///< what `filters` name
};

/// The kernel's walk over all threads, opened when it is asked first: that costs more than an audit of a home
/// server.
class KernelReader {
public:
    /// `kept`: where what opening it takes is remembered.
    explicit KernelReader(KeptFiles kept = {}) : kept_(std::move(kept)) {}

    /// Fails, each time, with what it could not be opened for.
    [[nodiscard]] Result<TaskRows> read();
    [[nodiscard]] const KeptFiles& kept() const { return kept_; }

private:
    KeptFiles kept_;
    std::optional<Result<TaskIterator>> iterator_;
};

/// True where something that the kernel can answer is unknown: inheritance was no proof of it.
[[nodiscard]] bool is_unproved(const Posture& launched, const Posture& observed);

/// Asks about all tasks of a scan. /proc and the kernel's walk are two moments: a task that differs between
/// them is read again, and one that does three times is unstable. A task that has ended meanwhile is taken
/// out.
void ask_kernel(Scan& scan, int proc, Ask how, KernelReader& kernel);

/// Who shares the load of a filter, not only its bytes, with another task descends from the task that loaded
/// it: a proof of descent that no reparenting blurs, for filters go from parent to child alone. `recorded`:
/// the names that count. Unknown where the two were not read at once. seccomp(2)
[[nodiscard]] Known<bool> share_a_load(const ExactFacts& one, const ExactFacts& other,
                                       const Named<Lock>& recorded);

/// The calls that a task's filters let through and the launched ones do not, by meaning: "mount, ptrace and
/// 12 more".
[[nodiscard]] std::string newly_allowed(const Posture& launched, const ExactFacts& facts);

/// All that ExactFacts says, as text: equal texts are equal answers.
[[nodiscard]] std::string print_of(const std::optional<ExactFacts>& facts);

/// Replaces what counted as inherited by what the kernel answered. Filters of other bytes count as the
/// launched ones where they are proved to let no call through that those do not; so do all filters where
/// `launched` names none, as a profile by itself does.
void fill_exact(Posture& observed, const Posture& launched, const ExactFacts& facts);

}  // namespace guard::audit
