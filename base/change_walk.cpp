#include "base/change_walk.h"

#ifdef GUARD_EXACT
#include <unistd.h>

#include <array>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/bpf_walk.h"
#include "base/change_row.h"
#include "base/change_walk_object.h"
#include "base/proc_stat.h"

namespace guard {
namespace {

template <class Row>
std::string_view bytes_from(const Row& row, std::size_t offset) {
    return {reinterpret_cast<const char*>(&row) + offset, sizeof row - offset};
}

TaskState state_of(const guard_state_row& row) {
    return {.pid = static_cast<pid_t>(row.pid),
            .tid = static_cast<pid_t>(row.tid),
            .parent = static_cast<pid_t>(row.parent),
            .start = row.start_ns,
            .ended = row.ended != 0,
            .print = std::string(bytes_from(row, offsetof(guard_state_row, cred)))};
}

// One number for all of a process, whatever their order, each counted once: a compiler at run time has its
// memory in a hundred areas or in two.
void add_holdings(std::map<pid_t, std::size_t>& holdings, std::span<const guard_holding_row> rows) {
    std::set<std::string_view> met;
    for (const auto& row : rows)
        if (met.insert(bytes_from(row, 0)).second)
            holdings[static_cast<pid_t>(row.pid)] += std::hash<std::string_view>{}(bytes_from(row, 0));
}

}  // namespace

struct ChangeWalk::Programs {
    bpf::Loaded loaded;
};

ChangeWalk::ChangeWalk(std::unique_ptr<Programs> programs) : programs_(std::move(programs)) {}
ChangeWalk::ChangeWalk(ChangeWalk&& other) noexcept = default;
ChangeWalk& ChangeWalk::operator=(ChangeWalk&& other) noexcept = default;
ChangeWalk::~ChangeWalk() = default;

Result<ChangeWalk> ChangeWalk::open(const KeptFiles& kept) {
    return ChangeWalk(std::make_unique<Programs>(
        TRY(bpf::load(change_walk_object(), {"show_state", "show_file", "show_area"}, kept))));
}

Result<ChangeRows> ChangeWalk::read() {
    const auto& loaded = programs_->loaded;
    ChangeRows all;
    for (const auto& row : TRY(bpf::walk<guard_state_row>(loaded, "show_state")))
        all.tasks.push_back(state_of(row));
    add_holdings(all.holdings, TRY(bpf::walk<guard_holding_row>(loaded, "show_file")));
    add_holdings(all.holdings, TRY(bpf::walk<guard_holding_row>(loaded, "show_area")));
    return all;
}

struct AlikeWalk::Program {
    bpf::Loaded loaded;
    std::unordered_map<std::string, std::size_t> kinds;
};

AlikeWalk::AlikeWalk(std::unique_ptr<Program> program) : program_(std::move(program)) {}
AlikeWalk::AlikeWalk(AlikeWalk&& other) noexcept = default;
AlikeWalk& AlikeWalk::operator=(AlikeWalk&& other) noexcept = default;
AlikeWalk::~AlikeWalk() = default;

Result<AlikeWalk> AlikeWalk::open(const KeptFiles& kept) {
    if (::sysconf(_SC_NPROCESSORS_CONF) > 64L * GUARD_CPU_WORDS)
        return fail("compare threads", "this machine has more processors than are compared");
    return AlikeWalk(std::make_unique<Program>(TRY(bpf::load(change_walk_object(), {"show_state"}, kept))));
}

Result<std::vector<AlikeTask>> AlikeWalk::read() {
    std::vector<AlikeTask> tasks;
    auto& kinds = program_->kinds;
    for (const auto& row : TRY(bpf::walk<guard_state_row>(program_->loaded, "show_state"))) {
        const std::string like(bytes_from(row, offsetof(guard_state_row, groups)));
        tasks.push_back({.pid = static_cast<pid_t>(row.pid),
                         .tid = static_cast<pid_t>(row.tid),
                         .parent = static_cast<pid_t>(row.parent),
                         .start = clock_ticks(row.start_ns),
                         .ended = row.ended != 0,
                         .traced = row.ptrace != 0,
                         .kind = kinds.emplace(like, kinds.size()).first->second});
    }
    return tasks;
}

}  // namespace guard

#else

namespace guard {

struct ChangeWalk::Programs {};
ChangeWalk::ChangeWalk(ChangeWalk&& other) noexcept = default;
ChangeWalk& ChangeWalk::operator=(ChangeWalk&& other) noexcept = default;
ChangeWalk::~ChangeWalk() = default;
Result<ChangeWalk> ChangeWalk::open(const KeptFiles& /*kept*/) {
    return fail("load the BPF program that reads tasks", "this guard was built without it (GUARD_EXACT=OFF)");
}
Result<ChangeRows> ChangeWalk::read() { return ChangeRows{}; }

struct AlikeWalk::Program {};
AlikeWalk::AlikeWalk(AlikeWalk&& other) noexcept = default;
AlikeWalk& AlikeWalk::operator=(AlikeWalk&& other) noexcept = default;
AlikeWalk::~AlikeWalk() = default;
Result<AlikeWalk> AlikeWalk::open(const KeptFiles& /*kept*/) {
    return fail("load the BPF program that reads tasks", "this guard was built without it (GUARD_EXACT=OFF)");
}
Result<std::vector<AlikeTask>> AlikeWalk::read() { return std::vector<AlikeTask>{}; }

}  // namespace guard
#endif
