#include "base/task_iterator.h"

#ifdef GUARD_EXACT
#include <linux/landlock.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <thread>

#include "base/bpf_walk.h"
#include "base/proc_stat.h"
#include "base/task_iterator_object.h"
#include "base/task_row.h"

namespace guard {
namespace {

constexpr std::string_view kShowTask = "show_task";
constexpr int kMostPasses = 64;                       // each with as many new filters as the arena holds
constexpr std::uint32_t kSuspendSeccomp = 1U << 24U;  // PT_SUSPEND_SECCOMP of include/linux/ptrace.h

struct UnmapTable {
    void operator()(guard_task_table* table) const { ::munmap(table, sizeof *table); }
};
using Table = std::unique_ptr<guard_task_table, UnmapTable>;

// The one in-memory table of the program: its zeroed data.
Result<Table> map_table(int data) {
    auto* const memory =
        ::mmap(nullptr, sizeof(guard_task_table), PROT_READ | PROT_WRITE, MAP_SHARED, data, 0);
    if (memory == MAP_FAILED) return fail_errno("map the table of the BPF program", errno);
    return Table(static_cast<guard_task_table*>(memory));
}

// A domain that forbids nothing but what this thread won't do; it ends with the thread.
int add_landlock_layer() {
    landlock_ruleset_attr handled{};
    handled.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK;
    const auto fd = static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled.handled_access_fs, 0));
    const UniqueFd ruleset(fd);
    if (fd < 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    return ::syscall(SYS_landlock_restrict_self, fd, 0) == 0 ? 0 : errno;
}

}  // namespace

struct TaskIterator::Program {
    bpf::Loaded loaded;
    Table table;

    Result<void> load(const KeptFiles& kept);
    void find_landlock();
    Result<std::vector<std::array<std::uint32_t, GUARD_BLOB_WORDS>>> probe_layers();
    void take_contents(TaskRows& rows);
};

Result<void> TaskIterator::Program::load(const KeptFiles& kept) {
    loaded = TRY(bpf::load(task_iterator_object(), {kShowTask}, kept));
    table = TRY(map_table(loaded.data));
    table->landlock_offset = -1;
    find_landlock();
    return {};
}

// How many layers each place would mean for a thread of ours: as it is, and with one more and two more
// domains.
Result<std::vector<std::array<std::uint32_t, GUARD_BLOB_WORDS>>> TaskIterator::Program::probe_layers() {
    std::vector<std::array<std::uint32_t, GUARD_BLOB_WORDS>> seen;
    Result<void> result;
    const auto look = [&] {
        const auto rows = bpf::walk<guard_task_row>(loaded, kShowTask);
        if (!rows) result = std::unexpected(rows.error());
        std::ranges::copy(table->candidate, seen.emplace_back().begin());
    };
    table->probing = 1;
    // A thread, for Landlock and no_new_privs hold a thread, and go with it.
    std::jthread([&] {
        look();
        for (int layer = 0; layer < 2 && result; ++layer) {
            if (const int code = add_landlock_layer(); code != 0)
                result = fail_errno("enter a Landlock domain", code);
            look();
        }
    }).join();
    table->probing = 0;
    CHECK(result);
    return seen;
}

// The first place that counts along: those before it are of other security modules, which know nothing of
// layers, and behind this cred's part may lie another cred of the same thread. Without one nothing is said of
// Landlock.
void TaskIterator::Program::find_landlock() {
    const auto seen = probe_layers();
    if (!seen) return;
    for (std::size_t word = 0; word < GUARD_BLOB_WORDS; ++word) {
        const auto before = seen->at(0).at(word);
        if (before == GUARD_LAYERS_UNREAD || seen->at(1).at(word) != before + 1 ||
            seen->at(2).at(word) != before + 2)
            continue;
        table->landlock_offset = static_cast<int>(word * sizeof(void*));
        return;
    }
}

void TaskIterator::Program::take_contents(TaskRows& rows) {
    for (const auto& one : std::span(table->content).first(table->contents)) {
        const auto code = std::span(table->arena).subspan(one.first, one.length);
        rows.filters.emplace_back(reinterpret_cast<const char*>(code.data()), code.size_bytes());
    }
}

namespace {

std::optional<std::vector<std::uint32_t>> filters_of(const guard_task_row& row) {
    // It is ending, or has even more than are passed over.
    if (row.contents != std::min<std::uint32_t>(row.seccomp_filters, GUARD_MOST_FILTERS)) return std::nullopt;
    const auto numbers = std::span(row.content).first(row.contents);
    if (std::ranges::find(numbers, GUARD_CONTENT_UNREAD) != numbers.end()) return std::nullopt;
    return std::vector(numbers.begin(), numbers.end());
}

TaskRow task_of(const guard_task_row& row) {
    TaskRow task{.pid = static_cast<pid_t>(row.pid),
                 .tid = static_cast<pid_t>(row.tid),
                 .tracer = static_cast<pid_t>(row.tracer),
                 .traced = row.ptrace != 0,
                 .filters_in_force = (row.ptrace & kSuspendSeccomp) == 0,
                 .ended = row.exit_state != 0,
                 .start = clock_ticks(row.start_ns),
                 .cap_inheritable = row.cap_inheritable,
                 .cap_permitted = row.cap_permitted,
                 .cap_effective = row.cap_effective,
                 .cap_bounding = row.cap_bounding,
                 .cap_ambient = row.cap_ambient,
                 .securebits = row.securebits,
                 .no_new_privs = row.no_new_privs,
                 .seccomp = row.seccomp_mode,
                 .seccomp_filters = row.seccomp_filters,
                 .filters = filters_of(row),
                 .landlock_layers = std::nullopt};
    if (row.landlock_layers != GUARD_LAYERS_UNREAD) task.landlock_layers = row.landlock_layers;
    return task;
}

bool is_pending(const guard_task_row& row) {
    const auto numbers = std::span(row.content).first(row.contents);
    return std::ranges::find(numbers, GUARD_CONTENT_LATER) != numbers.end();
}

}  // namespace

TaskIterator::TaskIterator(std::unique_ptr<Program> program) : program_(std::move(program)) {}
TaskIterator::TaskIterator(TaskIterator&& other) noexcept = default;
TaskIterator& TaskIterator::operator=(TaskIterator&& other) noexcept = default;
TaskIterator::~TaskIterator() = default;

Result<TaskIterator> TaskIterator::open(const KeptFiles& kept) {
    auto program = std::make_unique<Program>();
    CHECK(program->load(kept));
    return TaskIterator(std::move(program));
}

Result<TaskRows> TaskIterator::read() {
    auto& table = *program_->table;
    ++table.generation;
    table.numbers = 0;
    TaskRows rows;
    for (int passes = 0; passes < kMostPasses; ++passes) {
        table.used = table.contents = 0;
        const auto raw = TRY(bpf::walk<guard_task_row>(program_->loaded, kShowTask));
        program_->take_contents(rows);
        if (std::ranges::any_of(raw, is_pending)) continue;
        rows.tasks.reserve(raw.size());
        std::ranges::transform(raw, std::back_inserter(rows.tasks), task_of);
        return rows;
    }
    return fail("read the filters of all tasks", "there are more of them than can be kept");
}

}  // namespace guard

#else

namespace guard {

struct TaskIterator::Program {};
TaskIterator::TaskIterator(TaskIterator&& other) noexcept = default;
TaskIterator& TaskIterator::operator=(TaskIterator&& other) noexcept = default;
TaskIterator::~TaskIterator() = default;
Result<TaskIterator> TaskIterator::open(const KeptFiles& /*kept*/) {
    return fail("load the BPF program that reads tasks", "this guard was built without it (GUARD_EXACT=OFF)");
}
Result<TaskRows> TaskIterator::read() { return TaskRows{}; }

}  // namespace guard
#endif
