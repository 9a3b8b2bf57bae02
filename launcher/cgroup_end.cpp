#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "base/process.h"
#include "base/split.h"
#include "base/sys.h"
#include "launcher/cgroup.h"

/// The other half of cgroup.h: what is used, ending everything inside, and removal.
namespace guard::launcher {
namespace {

using std::chrono::steady_clock;
using Leaves = std::map<std::string, std::string>;

constexpr auto kPatience = std::chrono::seconds(10);
constexpr auto kTimeToDie = std::chrono::milliseconds(500);  // what cgroup.kill gets before signals by pidfd
constexpr int kPauseMs = 5;

void pause() { ::poll(nullptr, 0, kPauseMs); }

std::vector<pid_t> processes_in(const std::string& leaf) {
    std::vector<pid_t> pids;
    const auto text = sys::read_file(leaf + "/cgroup.procs");
    if (!text) return pids;  // gone
    for (const auto line : lines_of(*text))
        if (const auto pid = number_of<pid_t>(line); pid && *pid > 0) pids.push_back(*pid);
    return pids;
}

bool all_empty(const Leaves& leaves) {
    return std::ranges::all_of(leaves, [](const auto& leaf) { return processes_in(leaf.second).empty(); });
}

// A number from cgroup.procs may be another's by the time it is opened: what the pidfd holds must be in the
// leaf.
void kill_one(pid_t pid, const std::string& controller, const std::string& path) {
    const auto process = open_process(pid);
    if (!process) return;
    const auto cgroups = cgroups_of(pid);
    const bool still_it = open_process(process->id).has_value();
    if (!cgroups || !still_it) return;
    const auto own = cgroups->find(controller);
    if (own != cgroups->end() && own->second == path)
        static_cast<void>(sys::pidfd_send_signal(process->pidfd.get(), SIGKILL));
}

// Frozen, nobody inside can fork faster than it is ended. SIGKILL is taken when it thaws.
void set_frozen(const Leaves& leaves, const char* state) {
    if (const auto freezer = leaves.find("freezer"); freezer != leaves.end())
        static_cast<void>(sys::write_file(freezer->second + "/freezer.state", state));
}

void kill_by_pidfd(const Leaves& leaves, const CgroupLayout& layout) {
    set_frozen(leaves, "FROZEN");
    for (const auto& [controller, leaf] : leaves) {
        const auto path = cgroup_path(layout, controller, leaf);
        for (const auto pid : processes_in(leaf))
            if (path) kill_one(pid, controller, *path);
    }
    set_frozen(leaves, "THAWED");
}

Result<void> remove_leaf(const std::string& folder);

Result<void> remove_below(const std::string& folder) {
    const auto children = sys::list_directory(AT_FDCWD, folder);
    for (const auto& name : children.value_or(std::vector<std::string>{})) {
        const auto status = sys::fstatat(AT_FDCWD, folder + "/" + name, AT_SYMLINK_NOFOLLOW);
        if (status && S_ISDIR(status->st_mode)) CHECK(remove_leaf(folder + "/" + name));
    }
    return {};
}

Result<void> remove_leaf(const std::string& folder) {
    // Busy by a cgroup below it, or by its last task, which stays counted for a moment after it was waited
    // for.
    for (const auto end = steady_clock::now() + kPatience; ::rmdir(folder.c_str()) < 0; pause()) {
        if (errno == ENOENT) return {};
        if (errno != EBUSY || steady_clock::now() > end) return fail_errno("remove cgroup " + folder, errno);
        CHECK(remove_below(folder));
    }
    return {};
}

std::optional<std::uint64_t> number_in(const std::string& path) {
    const auto text = sys::read_file(path);
    if (!text || text->empty()) return std::nullopt;
    return number_of<std::uint64_t>(lines_of(*text).front());
}

// "oom_kill 3" among the lines of a file.
std::optional<std::uint64_t> number_after(const std::string& path, std::string_view word) {
    const auto text = sys::read_file(path);
    if (!text) return std::nullopt;
    for (const auto line : lines_of(*text))
        if (const auto words = words_of(line); words.size() == 2 && words[0] == word)
            return number_of<std::uint64_t>(words[1]);
    return std::nullopt;
}

Usage usage_v2(const std::string& leaf) {
    return {number_in(leaf + "/memory.current"),
            number_in(leaf + "/memory.peak"),
            number_after(leaf + "/cpu.stat", "usage_usec"),
            number_in(leaf + "/pids.current"),
            number_in(leaf + "/pids.peak"),
            number_after(leaf + "/memory.events", "oom_kill")};
}

Usage usage_v1(const Leaves& leaves) {
    constexpr std::uint64_t kNsPerUs = 1000;
    const auto file = [&leaves](const char* controller, const char* name) {
        const auto leaf = leaves.find(controller);
        return leaf == leaves.end() ? std::string() : leaf->second + "/" + name;
    };
    auto cpu = number_in(file("cpuacct", "cpuacct.usage"));
    if (cpu) *cpu /= kNsPerUs;
    return {number_in(file("memory", "memory.usage_in_bytes")),
            number_in(file("memory", "memory.max_usage_in_bytes")),
            cpu,
            number_in(file("pids", "pids.current")),
            number_in(file("pids", "pids.peak")),
            number_after(file("memory", "memory.oom_control"), "oom_kill")};
}

}  // namespace

Result<void> kill_cgroup(const Leaves& leaves) {
    if (leaves.empty()) return {};
    // One write ends all of a v2 cgroup, whatever forks meanwhile (5.14). cgroup-v2.rst
    const auto unified = leaves.find("");
    const bool asked = unified != leaves.end() && sys::write_file(unified->second + "/cgroup.kill", "1");
    const auto by_hand = steady_clock::now() + (asked ? kTimeToDie : std::chrono::milliseconds(0));
    std::optional<CgroupLayout> layout;
    for (const auto end = steady_clock::now() + kPatience; !all_empty(leaves); pause()) {
        if (steady_clock::now() > end)
            return fail("end what runs in " + leaves.begin()->second, "something in it does not end",
                        "see its cgroup.procs; a process in state D waits for a disk or a network share");
        if (steady_clock::now() < by_hand) continue;
        if (!layout) layout = TRY(find_cgroup_layout());
        kill_by_pidfd(leaves, *layout);
    }
    return {};
}

Result<void> undo_cgroup(const Made& made) {
    CHECK(remove_leaf(made.what));
    // The folder all containers share goes with the last of them.
    static_cast<void>(::rmdir(made.what.substr(0, made.what.rfind('/')).c_str()));
    return {};
}

Usage read_usage(const Leaves& leaves) {
    const auto unified = leaves.find("");
    if (unified != leaves.end() && leaves.size() == 1) return usage_v2(unified->second);
    return usage_v1(leaves);
}

}  // namespace guard::launcher
