#include "audit/scan.h"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <iterator>
#include <optional>
#include <span>
#include <thread>
#include <unordered_map>

#include "audit/alike.h"
#include "audit/limits.h"
#include "audit/process_facts.h"
#include "audit/select.h"
#include "base/descriptor.h"
#include "base/proc_stat.h"
#include "base/split.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

constexpr int kTries = 3;

class Scanner {
public:
    /// `alike`: what of many processes has to be read of one only; null: of none.
    Scanner(int proc, const Interest& interest, Scan& scan, const AlikeProcesses* alike)
        : proc_(proc), interest_(&interest), scan_(&scan), alike_(alike) {}

    /// Reads a process and those of its threads that are of interest; `all` takes every one.
    enum class Take : bool { interesting, all };
    Result<void> read_process(pid_t pid, Take take);

private:
    [[nodiscard]] bool is_interesting(const TaskFacts& facts) const {
        return is_of_interest(facts, *interest_, scan_->parents);
    }
    Result<void> read_threads(const TaskFiles& process, pid_t pid, const TaskFacts& leader, Take take);
    void add_task(SeenTask task, const TaskFiles& files, const TaskDetails* leader);
    std::shared_ptr<const ProcessFacts> facts_of(const SeenTask& task, int folder, const TaskDetails* leader);
    // One that was read, for all that are like it.
    struct Model {
        SeenTask task;
        bool interesting = false;
    };
    void keep_model(const SeenTask& task, bool interesting);
    [[nodiscard]] const Model* model_of(pid_t pid) const;
    Result<void> read_like(SeenTask task, const Model& model, const AlikeTask& process);
    void note(const TaskFacts& facts);
    void note_kept_namespaces(int folder, pid_t pid, const std::string& name);

    int proc_;
    const Interest* interest_;
    Scan* scan_;
    const AlikeProcesses* alike_;
    std::unordered_map<std::size_t, Model> models_;  // by kind
};

// Threads of one process mostly share what they hold; one that does not is a hiding place.
std::shared_ptr<const ProcessFacts> Scanner::facts_of(const SeenTask& task, int folder,
                                                      const TaskDetails* leader) {
    if (leader != nullptr && leader->process != nullptr &&
        (task.tid == task.pid || shares_descriptors(task.pid, task.tid)))
        return leader->process;
    const auto* network = value_of(task.facts.namespaces.at(namespace_row("network")));
    auto& shared = scan_->shared;
    return read_process_facts({folder, task.pid, task.tid, network == nullptr ? 0 : *network}, task.details,
                              shared.trees.at(tree_key(task.facts, task.details)), shared.learned);
}

// Between its last instruction and its end as a zombie a task loses its memory, then its directories and its
// namespaces; what is left would be judged as that of a task which never had them.
bool is_ending(int folder) {
    const auto stat = parse_proc_stat(sys::read_record(folder, "stat").value_or(""));
    return !stat || stat->ending();
}

void Scanner::add_task(SeenTask task, const TaskFiles& files, const TaskDetails* leader) {
    const int folder = files.folder.get();
    auto& shared = scan_->shared;
    for (int attempt = 0; attempt < kTries; ++attempt) {
        task.details = leader != nullptr ? read_details(files, task.tid, shared.learned, *leader)
                                         : read_details(files, task.tid, shared.learned);
        read_shared(shared, task.facts, task.details, scan_->namespaces, folder);
        task.details.process = facts_of(task, folder, leader);
        // exec and setuid may come in the middle: only what stands at the end as at the start is one moment.
        auto again = read_status(files);
        if (!again) return;  // it ended
        const bool same_program = sys::readlinkat(folder, "exe").value_or("") == task.details.exe;
        const bool settled = same_program && same_rights(task.facts.status, *again);
        task.facts.status = *std::move(again);
        if (settled) {
            if (task.details.exe.empty() && is_ending(folder)) return;  // its memory goes first
            keep_model(task, true);
            scan_->tasks.push_back(std::move(task));
            return;
        }
        auto facts = read_facts(files, scan_->namespaces);
        if (!facts) return;
        task.facts = *std::move(facts);
    }
    scan_->unstable.insert(task.tid);
    scan_->tasks.push_back(std::move(task));
}

Result<void> Scanner::read_threads(const TaskFiles& process, pid_t pid, const TaskFacts& leader, Take take) {
    std::optional<TaskDetails> shared_by_all;
    const bool leader_ended = leader.status.state == 'Z';
    for (const auto& name : TRY(sys::list_directory(process.folder.get(), "task"))) {
        const auto tid = number_of<pid_t>(name).value_or(0);
        const auto files = open_task(process.folder.get(), "task/" + name);
        if (!files) continue;  // it ended
        // A leader that has ended is a zombie until its last thread ends: there is nothing in it to judge.
        if (tid == pid && leader_ended) continue;
        auto facts = read_facts(*files, scan_->namespaces);
        if (!facts || (take == Take::interesting && !is_interesting(*facts))) continue;
        SeenTask task{pid, tid, *std::move(facts), {}, leader_ended, {}};
        // The files of a process whose leader has ended are empty; those of a living thread are not.
        if (!leader_ended && !shared_by_all) {
            shared_by_all = read_details(process, pid, scan_->shared.learned);
            read_shared(scan_->shared, leader, *shared_by_all, scan_->namespaces, process.folder.get());
            shared_by_all->process =
                facts_of({pid, pid, leader, *shared_by_all, false, {}}, process.folder.get(), nullptr);
        }
        add_task(std::move(task), *files, shared_by_all ? &*shared_by_all : nullptr);
    }
    return {};
}

// Guard itself keeps the namespaces that it looks at.
bool is_guard(int folder) {
    const auto one = sys::fstatat(folder, "exe"), own = sys::fstatat(AT_FDCWD, "/proc/self/exe");
    return one && own && one->st_dev == own->st_dev && one->st_ino == own->st_ino;
}

void Scanner::note_kept_namespaces(int folder, pid_t pid, const std::string& name) {
    const auto numbers = sys::list_directory(folder, "fd");
    if (!numbers) return;  // of another user, and then its namespaces are unknown too
    for (const auto& number : *numbers) {
        const auto link = sys::readlinkat(folder, "fd/" + number);
        if (!link || kind_of_descriptor(*link) != DescriptorKind::ns_handle) continue;
        if (is_guard(folder)) return;
        const auto stat = parse_proc_stat(sys::read_record(folder, "stat").value_or(""));
        if (!stat || stat->ending()) return;  // what it held is gone; and it may have been another guard
        scan_->kept.push_back({pid, name, sys::readlinkat(folder, "exe").value_or(""), stat->start,
                               "descriptor " + number, inode_in_link(*link).value_or(0)});
    }
}

void Scanner::note(const TaskFacts& facts) {
    const auto pid = facts.status.tgid;
    scan_->parents[pid] = facts.status.ppid;
    scan_->names[pid] = facts.status.name;
    if (const auto name = container_of(facts.cgroups); !name.empty()) scan_->contained.emplace(name, pid);
}

void Scanner::keep_model(const SeenTask& task, bool interesting) {
    const auto* const row = alike_ == nullptr ? nullptr : alike_->of(task.pid);
    if (row != nullptr && task.pid == task.tid) models_.try_emplace(row->kind, Model{task, interesting});
}

const Scanner::Model* Scanner::model_of(pid_t pid) const {
    const auto* const row = alike_ == nullptr ? nullptr : alike_->of(pid);
    if (row == nullptr) return nullptr;
    const auto model = models_.find(row->kind);
    return model == models_.end() ? nullptr : &model->second;
}

SeenTask like(const SeenTask& model, const AlikeTask& process) {
    auto task = model;
    task.pid = task.tid = task.facts.status.tgid = task.facts.status.pid = process.pid;
    task.facts.status.ppid = process.parent;
    return task;
}

// What a process holds and maps is its own, whatever else it has in common with another.
Result<void> Scanner::read_like(SeenTask task, const Model& model, const AlikeTask& process) {
    const auto folder = TRY(sys::openat(proc_, std::to_string(process.pid), O_PATH | O_DIRECTORY));
    note(task.facts);
    scan_->alike[process.pid] = model.task.pid;
    if (!model.interesting) {
        if (!interest_->namespaces.empty())
            note_kept_namespaces(folder.get(), process.pid, task.facts.status.name);
        return {};
    }
    read_what_differs(task.details, folder.get(), process.pid, process.start, scan_->shared.learned);
    const auto* network = value_of(task.facts.namespaces.at(namespace_row("network")));
    auto& shared = scan_->shared;
    task.details.process = read_process_facts(
        {folder.get(), process.pid, process.pid, network == nullptr ? 0 : *network}, task.details,
        shared.trees.at(tree_key(task.facts, task.details)), shared.learned, *model.task.details.process);
    scan_->tasks.push_back(std::move(task));
    return {};
}

Result<void> Scanner::read_process(pid_t pid, Take take) {
    if (const auto* const model = model_of(pid); model != nullptr && take == Take::interesting) {
        auto task = like(model->task, *alike_->of(pid));
        scan_->parents[pid] = task.facts.status.ppid;
        if (is_interesting(task.facts) == model->interesting)
            return read_like(std::move(task), *model, *alike_->of(pid));
    }
    const auto process = TRY(open_task(proc_, std::to_string(pid)));
    auto facts = TRY(read_facts(process, scan_->namespaces));
    note(facts);
    const bool interesting = take == Take::all || is_interesting(facts);
    if (!interesting && !interest_->namespaces.empty())
        note_kept_namespaces(process.folder.get(), pid, facts.status.name);
    if (facts.status.threads > 1) return read_threads(process, pid, facts, take);
    if (facts.status.state == 'Z') return {};
    SeenTask task{pid, pid, std::move(facts), {}, false, {}};
    if (interesting)
        add_task(std::move(task), process, nullptr);
    else
        keep_model(task, false);
    return {};
}

// Mounts of this machine: which groups of them a container's may belong to, and namespaces kept by one.
Result<void> read_own_mounts(Scan& scan) {
    const auto text = TRY(sys::read_file("/proc/self/mountinfo"));
    const auto lines = TRY(parse_mountinfo(text));
    scan.shared.host_groups = peer_groups(lines);
    for (const auto& line : lines)
        if (line.type == "tmpfs" && line.root == "/")
            scan.shared.host_tmpfs.try_emplace(line.device, line.place);
    for (const auto& line : lines)
        if (line.type == "nsfs")
            scan.kept.push_back({0, "", "", 0, line.place, inode_in_link(line.root).value_or(0)});
    return {};
}

// Hands out the numbers of a list, a few at a time, to whoever asks next.
class Numbers {
public:
    explicit Numbers(std::span<const pid_t> all) : all_(all) {}
    std::span<const pid_t> next() {
        constexpr std::size_t kAtOnce = 16;
        const auto from = std::min(next_.fetch_add(kAtOnce), all_.size());
        return all_.subspan(from, std::min(kAtOnce, all_.size() - from));
    }

private:
    std::span<const pid_t> all_;
    std::atomic<std::size_t> next_ = 0;
};

void read_each(int proc, const Interest& interest, Numbers& numbers, Scan& scan,
               const AlikeProcesses* alike) {
    Scanner scanner(proc, interest, scan, alike);
    for (auto some = numbers.next(); !some.empty(); some = numbers.next())
        for (const auto pid : some) {
            const auto read = scanner.read_process(pid, Scanner::Take::interesting);
            const bool ended = !read && (read.error().code == ENOENT || read.error().code == ESRCH);
            if (!read && !ended) scan.unread[pid] = read.error().code;
        }
}

bool has_two_cores() {
    cpu_set_t cores;
    return ::sched_getaffinity(0, sizeof cores, &cores) < 0 || CPU_COUNT(&cores) > 1;
}

// Two readers, and never more, for what is audited wants the other cores. Each fills a Scan of its own, so
// that nothing is shared while they read; what containers share is read before, with their first processes.
void read_processes(int proc, const Interest& interest, std::vector<pid_t> pids, Scan& scan,
                    const AlikeProcesses* alike) {
    constexpr std::size_t kWorthTwo = 64;  // below, a thread costs more than it saves
    const auto rest =
        std::ranges::stable_partition(pids, [&interest](pid_t pid) { return interest.inits.contains(pid); });
    Numbers inits(std::span(pids.begin(), rest.begin())), others{std::span<const pid_t>(rest)};
    read_each(proc, interest, inits, scan, alike);
    if (rest.size() < kWorthTwo || !has_two_cores()) return read_each(proc, interest, others, scan, alike);
    Scan second;
    second.shared = scan.shared;
    second.parents = scan.parents;
    {
        const std::jthread reader([&] { read_each(proc, interest, others, second, alike); });
        read_each(proc, interest, others, scan, alike);
    }
    scan.merge(std::move(second));
}

// What was taken from another process stands where both are what they were; the rest is read after all.
void settle_alike(int proc, const Interest& interest, Scan& scan, AlikeProcesses& alike) {
    const bool seen = alike.look_again().has_value();
    std::set<pid_t> again;
    for (const auto& [pid, model] : scan.alike)
        if (!seen || !alike.stands(pid) || !alike.stands(model)) again.insert(pid);
    if (again.empty()) return;
    std::erase_if(scan.tasks, [&again](const SeenTask& task) { return again.contains(task.pid); });
    std::erase_if(scan.kept, [&again](const KeptNamespace& kept) { return again.contains(kept.holder); });
    for (const auto pid : again) scan.parents.erase(pid), scan.names.erase(pid);
    const std::vector<pid_t> pids(again.begin(), again.end());
    Numbers numbers(pids);
    read_each(proc, interest, numbers, scan, nullptr);
}

}  // namespace

bool is_of_interest(const TaskFacts& facts, const Interest& interest, const std::map<pid_t, pid_t>& parents) {
    const auto made_for_one = [&interest](const Known<std::uint64_t>& id) {
        const auto* value = value_of(id);
        return value != nullptr && interest.namespaces.contains(*value);
    };
    const auto in_one = [&facts](const std::pair<std::string, std::string>& leaf) {
        const auto at = facts.cgroups.find(leaf.first);
        return at != facts.cgroups.end() && is_in_cgroup(at->second, leaf.second);
    };
    return std::ranges::any_of(facts.namespaces, made_for_one) ||
           std::ranges::any_of(interest.cgroups, in_one) ||
           std::ranges::any_of(interest.inits,
                               [&](pid_t init) { return descends(parents, facts.status.tgid, init); });
}

bool descends(const std::map<pid_t, pid_t>& parents, pid_t pid, pid_t ancestor) {
    for (std::size_t steps = 0; steps <= parents.size(); ++steps) {
        if (pid == ancestor) return true;
        const auto parent = parents.find(pid);
        if (parent == parents.end() || parent->second == 0) return false;
        pid = parent->second;
    }
    return false;  // pids were reused while they were read
}

void Scan::merge(Scan other) {
    std::ranges::move(other.tasks, std::back_inserter(tasks));
    alike.merge(other.alike);
    parents.merge(other.parents);
    names.merge(other.names);
    std::ranges::move(other.kept, std::back_inserter(kept));
    unread.merge(other.unread);
    for (const auto& [name, pid] : other.contained) {
        auto& first = contained.emplace(name, pid).first->second;
        first = std::min(first, pid);
    }
    unstable.merge(other.unstable);
    shared.merge(std::move(other.shared));
    namespaces.merge(std::move(other.namespaces));
}

Result<Scan> scan(int proc, const Interest& interest, const KeptFiles& kept, std::size_t ask_who_is_alike) {
    Scan result;
    result.shared.layout = TRY(find_cgroup_layout());
    result.shared.online_cpus = sys::read_file("/sys/devices/system/cpu/online").value_or("");
    std::vector<pid_t> pids;
    for (const auto& name : TRY(sys::list_directory(proc, ".")))
        if (const auto pid = number_of<pid_t>(name)) pids.push_back(*pid);
    std::ranges::sort(pids);  // parents mostly before their children
    CHECK(read_own_mounts(result));
    auto alike = pids.size() < ask_who_is_alike ? std::nullopt : AlikeProcesses::look(kept);
    read_processes(proc, interest, std::move(pids), result, alike ? &*alike : nullptr);
    if (alike) settle_alike(proc, interest, result, *alike);
    std::ranges::sort(result.tasks, {}, [](const SeenTask& task) { return std::pair(task.pid, task.tid); });
    // Pids wrap around, and two readers each know half of the parents: a child may have come before its own.
    std::set<pid_t> taken;
    for (const auto& task : result.tasks) taken.insert(task.pid);
    Scanner scanner(proc, interest, result, nullptr);
    const auto parents = result.parents;
    for (const auto& [pid, parent] : parents)
        for (const auto init : interest.inits)
            if (!taken.contains(pid) && descends(parents, pid, init))
                static_cast<void>(scanner.read_process(pid, Scanner::Take::all));
    return result;
}

}  // namespace guard::audit
