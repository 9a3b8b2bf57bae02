#include "audit/watch_changes.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>
#include <utility>

#include "audit/hostname.h"
#include "audit/kernel_changes.h"
#include "audit/rights_text.h"
#include "audit/select.h"
#include "base/process.h"
#include "base/sock_diag.h"
#include "base/split.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

constexpr std::size_t kSpareDescriptors = 256;  // for everything but held files

// Files of /proc may be held open in this number; further ones are opened at each look.
class Budget {
public:
    Budget() {
        rlimit limit{};
        if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return;
        limit.rlim_cur = limit.rlim_max;
        if (::setrlimit(RLIMIT_NOFILE, &limit) < 0) ::getrlimit(RLIMIT_NOFILE, &limit);
        left_ = limit.rlim_cur > kSpareDescriptors ? limit.rlim_cur - kSpareDescriptors : 0;
    }
    [[nodiscard]] bool take() { return left_ > 0 && left_-- > 0; }
    void give_back(std::size_t count) { left_ += count; }

private:
    std::size_t left_ = 0;
};

// What a task's files said when they were last read.
struct File {
    const char* name;
    bool members_only;
    std::string (*digest)(std::string_view text);  ///< what of the text counts
};
std::string whole(std::string_view text) { return std::string(text); }
constexpr auto kFiles = std::to_array<File>({{"status", false, rights_in},
                                             {"cgroup", false, whole},
                                             {"limits", true, whole},
                                             {"oom_score_adj", true, whole},
                                             {"personality", true, whole}});

struct HeldTask {
    UniqueFd folder;
    std::array<UniqueFd, kFiles.size()> files;
    std::array<std::string, kFiles.size()> said;
    std::array<std::string, kNamespaces.size()> namespaces;
    std::size_t held = 1;  ///< descriptors
    pid_t process = 0;
    bool member = false, may_move = false, threads = false;
    unsigned pass = 0;
};

bool starts_line(std::string_view text, std::string_view line) { return text.find(line) != text.npos; }

// Only who holds CAP_SYS_ADMIN somewhere changes its namespaces; all others must enter a user namespace
// first, which shows in that link. setns(2), unshare(2)
bool may_change_namespaces(std::string_view status) {
    constexpr std::string_view kLine = "\nCapPrm:\t";
    const auto at = status.find(kLine);
    if (at == std::string_view::npos) return true;
    const auto digits = status.substr(at + kLine.size(), 16);
    return (number_of<std::uint64_t>(digits, 16).value_or(~0ULL) >> CAP_SYS_ADMIN & 1U) != 0;
}

// What the tasks of one container share and no event tells.
struct HeldContainer {
    UniqueFd folder, uts;
    std::optional<netlink::Socket> sockets;
    std::string said;
};

std::string words_of_sockets(netlink::Socket& socket) {
    std::string words;
    for (const auto transport : {Transport::tcp, Transport::udp}) {
        const auto all = listening_sockets(socket, transport);
        if (!all) words += "?";
        if (all)
            for (const auto& one : *all) words += one.address + ":" + std::to_string(one.port) + " ";
    }
    return words;
}

std::string shared_by(HeldContainer& held) {
    std::string said = hostname_in(held.uts.get()).value_or("?");
    const auto text = sys::read_file(held.folder.get(), "net/dev");
    for (const auto& name : parse_interfaces(text ? *text : std::string())) said += "\n" + name;
    if (held.sockets) said += "\n" + words_of_sockets(*held.sockets);
    return said;
}

}  // namespace

struct ChangeWatch::Inside {
    enum class Look : std::uint8_t { same, changed, gone };

    explicit Inside(KeptFiles where) : kept(std::move(where)) {}
    Result<bool> look_at_all();
    Result<bool> look_at_tasks();
    Result<bool> look_at_proc();
    bool look_at(pid_t process, pid_t tid, const std::string& path);
    bool look_at_threads(pid_t process);
    bool add(pid_t process, pid_t tid, const std::string& path);
    Look look_again(HeldTask& task);
    std::string_view read(HeldTask& task, std::size_t file);
    bool namespaces_changed(HeldTask& task);
    bool belongs(HeldTask& task);
    bool drop_gone();

    KeptFiles kept;
    std::optional<KernelChanges> kernel;  // where it can be asked; else /proc is read
    bool kernel_was_asked = false;
    UniqueFd proc;
    Budget budget;
    Interest interest;
    std::unordered_map<pid_t, HeldTask> tasks;  // by thread id
    std::map<pid_t, pid_t> parents;
    std::map<std::string, HeldContainer> containers;
    std::array<char, 65'536> buffer{};
    unsigned pass = 0;
};

// Empty where it can't be read: then it differs from what was read before.
std::string_view ChangeWatch::Inside::read(HeldTask& task, std::size_t file) {
    auto& held = task.files.at(file);
    UniqueFd opened;
    if (!held) {
        auto fresh = sys::openat(task.folder.get(), kFiles.at(file).name, O_RDONLY);
        if (!fresh) return {};
        if (budget.take()) {
            held = *std::move(fresh);
            ++task.held;
        } else {
            opened = *std::move(fresh);
        }
    }
    const int fd = held ? held.get() : opened.get();
    const auto size = TEMP_FAILURE_RETRY(::pread(fd, buffer.data(), buffer.size(), 0));
    return size > 0 ? std::string_view(buffer.data(), static_cast<std::size_t>(size)) : std::string_view();
}

bool ChangeWatch::Inside::namespaces_changed(HeldTask& task) {
    bool changed = false;
    for (std::size_t row = 0; row < kNamespaces.size(); ++row) {
        const bool asked = task.may_move || task.namespaces.at(row).empty() ||
                           kNamespaces.at(row).clone_flag == CLONE_NEWUSER;
        if (!asked) continue;
        std::array<char, 64> link{};
        const auto path = "ns/" + std::string(kNamespaces.at(row).entry);
        const auto size = ::readlinkat(task.folder.get(), path.c_str(), link.data(), link.size());
        const std::string_view now(link.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
        if (now == task.namespaces.at(row)) continue;
        changed = true;
        task.namespaces.at(row) = now;
    }
    return changed;
}

ChangeWatch::Inside::Look ChangeWatch::Inside::look_again(HeldTask& task) {
    auto look = Look::same;
    for (std::size_t file = 0; file < kFiles.size(); ++file) {
        if (kFiles.at(file).members_only && !task.member) continue;
        const auto text = read(task, file);
        if (file == 0 && text.empty()) return Look::gone;
        if (file == 0) task.may_move = may_change_namespaces(text);
        if (file == 0) task.threads = !starts_line(text, "\nThreads:\t1\n");
        auto now = kFiles.at(file).digest(text);
        if (now == task.said.at(file)) continue;
        look = Look::changed;
        task.said.at(file) = std::move(now);
    }
    return namespaces_changed(task) ? Look::changed : look;
}

bool ChangeWatch::Inside::belongs(HeldTask& task) {
    NamespaceTable table;  // not kept: a namespace that is held open outlives its container
    const auto facts = read_facts(task.folder.get(), table);
    if (!facts) return false;
    parents[facts->status.tgid] = facts->status.ppid;
    return is_of_interest(*facts, interest, parents);
}

bool ChangeWatch::Inside::add(pid_t process, pid_t tid, const std::string& path) {
    auto folder = sys::openat(proc.get(), path, O_RDONLY | O_DIRECTORY);
    if (!folder) return false;  // it has ended
    HeldTask task;
    task.folder = *std::move(folder);
    task.process = process;
    task.pass = pass;
    static_cast<void>(budget.take());
    if (look_again(task) == Look::gone) {
        budget.give_back(task.held);
        return false;
    }
    task.member = belongs(task);
    if (task.member) static_cast<void>(look_again(task));
    const bool member = task.member;
    tasks.insert_or_assign(tid, std::move(task));
    return member;
}

bool ChangeWatch::Inside::look_at(pid_t process, pid_t tid, const std::string& path) {
    const auto found = tasks.find(tid);
    if (found == tasks.end()) return add(process, tid, path);
    auto& task = found->second;
    const auto look = look_again(task);
    if (look == Look::gone) {  // its id may be another's by now
        const bool was_member = task.member;
        budget.give_back(task.held);
        tasks.erase(found);
        return add(process, tid, path) || was_member;
    }
    task.pass = pass;
    if (look == Look::same) return false;
    const bool before = task.member;
    task.member = belongs(task);
    if (task.member && !before) static_cast<void>(look_again(task));
    return before || task.member;
}

bool ChangeWatch::Inside::look_at_threads(pid_t process) {
    const auto base = std::to_string(process) + "/task/";
    const auto names = sys::list_directory(proc.get(), base);
    if (!names) return false;
    bool changed = false;
    for (const auto& name : *names)
        if (const auto tid = number_of<pid_t>(name); tid && *tid != process)
            changed = look_at(process, *tid, base + name) || changed;
    return changed;
}

bool ChangeWatch::Inside::drop_gone() {
    bool changed = false;
    std::erase_if(tasks, [&](const auto& entry) {
        const auto& task = entry.second;
        if (task.pass == pass) return false;
        changed = changed || task.member;
        budget.give_back(task.held);
        if (entry.first == task.process) parents.erase(entry.first);
        return true;
    });
    return changed;
}

Result<bool> ChangeWatch::Inside::look_at_proc() {
    ++pass;
    bool changed = false;
    for (const auto& name : TRY(sys::list_directory(proc.get(), "."))) {
        const auto pid = number_of<pid_t>(name);
        if (!pid) continue;
        changed = look_at(*pid, *pid, name) || changed;
        const auto found = tasks.find(*pid);
        if (found != tasks.end() && found->second.threads) changed = look_at_threads(*pid) || changed;
    }
    return drop_gone() || changed;
}

// Where the kernel answers no more, /proc is read from then on: all of it is new to that way of looking.
Result<bool> ChangeWatch::Inside::look_at_tasks() {
    if (!kernel) return look_at_proc();
    if (auto changed = kernel->changed(proc.get())) return changed;
    kernel.reset();
    return look_at_proc();
}

Result<bool> ChangeWatch::Inside::look_at_all() {
    bool changed = TRY(look_at_tasks());
    for (auto& [name, held] : containers) {
        auto now = shared_by(held);
        changed = changed || now != held.said;
        held.said = std::move(now);
    }
    return changed;
}

ChangeWatch::ChangeWatch(KeptFiles kept) : inside_(std::make_unique<Inside>(std::move(kept))) {}
ChangeWatch::~ChangeWatch() = default;
ChangeWatch::ChangeWatch(ChangeWatch&&) noexcept = default;
ChangeWatch& ChangeWatch::operator=(ChangeWatch&&) noexcept = default;

Result<void> ChangeWatch::follow(const std::vector<const Record*>& live) {
    auto& inside = *inside_;
    if (!inside.proc) inside.proc = TRY(open_proc());
    for (const auto& entry : inside.tasks) inside.budget.give_back(entry.second.held);
    inside.tasks.clear();
    inside.parents.clear();
    inside.containers.clear();
    inside.interest = interest_in(live);
    if (!std::exchange(inside.kernel_was_asked, true))
        if (auto opened = KernelChanges::open(inside.kept)) inside.kernel.emplace(*std::move(opened));
    if (inside.kernel) inside.kernel->follow(inside.interest);
    for (const auto* record : live) {
        HeldContainer held;
        auto folder =
            sys::openat(inside.proc.get(), std::to_string(record->bindings.init.pid), O_RDONLY | O_DIRECTORY);
        if (!folder) continue;  // it ended: the audit says so
        held.folder = *std::move(folder);
        if (auto uts = sys::openat(held.folder.get(), "ns/uts", O_RDONLY)) held.uts = *std::move(uts);
        const auto network = sys::openat(held.folder.get(), "ns/net", O_RDONLY);
        if (network)
            if (auto socket = netlink::open_in(network->get(), NETLINK_SOCK_DIAG))
                held.sockets = *std::move(socket);
        inside.containers.emplace(record->name, std::move(held));
    }
    return {};
}

Result<bool> ChangeWatch::changed() { return inside_->look_at_all(); }
std::size_t ChangeWatch::tasks() const {
    return inside_->kernel ? inside_->kernel->tasks() : inside_->tasks.size();
}
bool ChangeWatch::is_member(pid_t process) const {
    if (inside_->kernel) return inside_->kernel->is_member(process);
    const auto found = inside_->tasks.find(process);
    return found != inside_->tasks.end() && found->second.member;
}

}  // namespace guard::audit
