#include "audit/scan.h"

#include <fcntl.h>

#include <algorithm>

#include "audit/limits.h"
#include "audit/select.h"
#include "base/split.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

constexpr int kTries = 3;

class Scanner {
public:
    Scanner(int proc, const Interest& interest, Scan& scan)
        : proc_(proc), interest_(&interest), scan_(&scan) {}

    /// Reads a process and those of its threads that are of interest; `all` takes every one.
    enum class Take : bool { interesting, all };
    Result<void> read_process(pid_t pid, Take take);

private:
    [[nodiscard]] bool is_interesting(const TaskFacts& facts) const;
    Result<void> read_threads(const ProcessFolder& process, pid_t pid, const TaskFacts& leader, Take take);
    void add_task(SeenTask task, int folder, const TaskDetails* leader);

    int proc_;
    const Interest* interest_;
    Scan* scan_;
};

bool Scanner::is_interesting(const TaskFacts& facts) const {
    const auto made_for_one = [this](const Known<std::uint64_t>& id) {
        const auto* value = value_of(id);
        return value != nullptr && interest_->namespaces.contains(*value);
    };
    const auto in_one = [&facts](const std::pair<std::string, std::string>& leaf) {
        const auto at = facts.cgroups.find(leaf.first);
        return at != facts.cgroups.end() && is_in_cgroup(at->second, leaf.second);
    };
    return std::ranges::any_of(facts.namespaces, made_for_one) ||
           std::ranges::any_of(interest_->cgroups, in_one) ||
           std::ranges::any_of(interest_->inits,
                               [&](pid_t init) { return descends(scan_->parents, facts.status.tgid, init); });
}

void Scanner::add_task(SeenTask task, int folder, const TaskDetails* leader) {
    for (int attempt = 0; attempt < kTries; ++attempt) {
        task.details =
            leader != nullptr ? read_details(folder, task.tid, *leader) : read_details(folder, task.tid);
        read_shared(scan_->shared, task.facts, task.details, scan_->namespaces, folder);
        // exec and setuid may come in the middle: only what stands at the end as at the start is one moment.
        auto again = read_facts(folder, scan_->namespaces);
        if (!again) return;  // it ended
        const bool settled = same_rights(task.facts.status, again->status);
        task.facts = *std::move(again);
        if (settled) {
            scan_->tasks.push_back(std::move(task));
            return;
        }
    }
    scan_->unstable.insert(task.tid);
    scan_->tasks.push_back(std::move(task));
}

Result<void> Scanner::read_threads(const ProcessFolder& process, pid_t pid, const TaskFacts& leader,
                                   Take take) {
    const auto names = TRY(sys::list_directory(process.folder.get(), "task"));
    const auto shared_by_all = read_details(process.folder.get(), pid);
    for (const auto& name : names) {
        const auto tid = number_of<pid_t>(name).value_or(0);
        const auto folder = sys::openat(process.folder.get(), "task/" + name, O_RDONLY | O_DIRECTORY);
        if (!folder) continue;  // it ended
        // A leader that has ended is a zombie until its last thread ends: there is nothing in it to judge.
        if (tid == pid && leader.status.state == 'Z') continue;
        auto facts = read_facts(folder->get(), scan_->namespaces);
        if (!facts || (take == Take::interesting && !is_interesting(*facts))) continue;
        // The files of a process whose leader has ended are empty; those of a living thread are not.
        const bool leader_lives = leader.status.state != 'Z';
        add_task({pid, tid, *std::move(facts), {}}, folder->get(), leader_lives ? &shared_by_all : nullptr);
    }
    return {};
}

Result<void> Scanner::read_process(pid_t pid, Take take) {
    const auto process = TRY(open_process_folder(proc_, pid));
    auto facts = TRY(read_facts(process.folder.get(), scan_->namespaces));
    scan_->parents[pid] = facts.status.ppid;
    if (const auto name = container_of(facts.cgroups); !name.empty()) scan_->contained.emplace(name, pid);
    if (facts.status.threads > 1) return read_threads(process, pid, facts, take);
    if (facts.status.state == 'Z') return {};
    if (take == Take::all || is_interesting(facts))
        add_task({pid, pid, std::move(facts), {}}, process.folder.get(), nullptr);
    return {};
}

}  // namespace

bool descends(const std::map<pid_t, pid_t>& parents, pid_t pid, pid_t ancestor) {
    for (std::size_t steps = 0; steps <= parents.size(); ++steps) {
        if (pid == ancestor) return true;
        const auto parent = parents.find(pid);
        if (parent == parents.end() || parent->second == 0) return false;
        pid = parent->second;
    }
    return false;  // pids were reused while they were read
}

Result<Scan> scan(int proc, const Interest& interest) {
    Scan result;
    result.shared.layout = TRY(find_cgroup_layout());
    result.shared.online_cpus = sys::read_file("/sys/devices/system/cpu/online").value_or("");
    std::vector<pid_t> pids;
    for (const auto& name : TRY(sys::list_directory(proc, ".")))
        if (const auto pid = number_of<pid_t>(name)) pids.push_back(*pid);
    std::ranges::sort(pids);  // parents mostly before their children
    Scanner scanner(proc, interest, result);
    for (const auto pid : pids) static_cast<void>(scanner.read_process(pid, Scanner::Take::interesting));
    // Pids wrap around: a child may have come before its parent.
    std::set<pid_t> taken;
    for (const auto& task : result.tasks) taken.insert(task.pid);
    const auto parents = result.parents;
    for (const auto& [pid, parent] : parents)
        for (const auto init : interest.inits)
            if (!taken.contains(pid) && descends(parents, pid, init))
                static_cast<void>(scanner.read_process(pid, Scanner::Take::all));
    return result;
}

}  // namespace guard::audit
