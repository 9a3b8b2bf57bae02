#include "audit/survey.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "audit/descriptors.h"
#include "audit/host_names.h"
#include "audit/observe.h"
#include "audit/select.h"
#include "audit/shared_facts.h"
#include "audit/task.h"
#include "base/mountinfo.h"
#include "base/proc_stat.h"
#include "base/process.h"
#include "base/split.h"
#include "base/sys.h"
#include "posture/compare.h"

namespace guard::audit {
namespace {

using NamespaceIds = std::array<std::optional<std::uint64_t>, kNamespaces.size()>;

// Root by any of its four ids is root; else who it acts as.
std::uint32_t farthest_id(const std::array<std::uint32_t, 4>& ids) {
    return std::ranges::find(ids, 0U) != ids.end() ? 0 : ids[1];
}

// What the survey asks of a task, in this machine's words; all else is as where nothing is granted, so that
// it makes no change.
Posture posture_of(const TaskFacts& facts, const NamespaceIds& machine) {
    static const Posture kNothing = nothing_granted();
    const auto& status = facts.status;
    auto posture = kNothing;
    posture.identity.uid = Exact<std::uint32_t>{farthest_id(status.uid)};
    posture.identity.gid = Exact<std::uint32_t>{farthest_id(status.gid)};
    posture.identity.groups = Grants<std::uint32_t>{{status.groups.begin(), status.groups.end()}};
    observe_status(posture, status);
    posture.seccomp.mode = held_if(status.seccomp != 0);
    auto& relations = std::get<Named<Relation>>(posture.namespaces);
    for (std::size_t row = 0; row < kNamespaces.size(); ++row) {
        const auto* id = value_of(facts.namespaces.at(row));
        const bool foreign = id != nullptr && machine.at(row) && *id != *machine.at(row);
        // One that can't be read may be the machine's: unknown is never the better case.
        const auto to = foreign ? Relation::To::own : Relation::To::host;
        relations[std::string(kNamespaces.at(row).name)] = {to, ""};
    }
    return posture;
}

std::string unread_in_words(const std::string& what, const Unknown& unknown) {
    return unknown.code == 0 ? fmt::format("{}: {}", what, unknown.why)
                             : fmt::format("{}: {}", what, std::strerror(unknown.code));
}

// One cgroup path whose last part says whose a process is: "docker/ID", "cron.service".
struct HomeRow {
    std::string_view before, after, says;
};
constexpr auto kHomes = std::to_array<HomeRow>({{"/docker/", "", "docker"},
                                                {"/docker-", ".scope", "docker"},
                                                {"/libpod-", "", "podman"},
                                                {"/lxc.payload.", "", "lxc"},
                                                {"/crio-", ".scope", "cri-o"},
                                                {"/cri-containerd-", ".scope", "containerd"},
                                                {"/machine.slice/", ".scope", "machine"},
                                                {"/system.slice/", ".service", "service"}});
constexpr std::size_t kLongestHome = 24;

std::string home_in(const std::string& path) {
    for (const auto& [before, after, says] : kHomes) {
        const auto at = path.find(before);
        if (at == std::string::npos) continue;
        auto name = path.substr(at + before.size());
        name.resize(std::min(name.size(), name.find('/')));
        if (name.ends_with(after)) name.resize(name.size() - after.size());
        constexpr std::size_t kShortId = 12, kFullId = 64;
        if (name.size() >= kFullId) name.resize(kShortId);
        return fmt::format("{} {}", says, name.substr(0, kLongestHome));
    }
    return {};
}

std::string home_of(const CgroupPaths& cgroups) {
    if (const auto name = container_of(cgroups); !name.empty()) return "guard: " + name;
    for (const auto& [controller, path] : cgroups)
        if (auto home = home_in(path); !home.empty()) return home;
    return {};
}

bool has_ended(const Error& error) { return error.code == ESRCH || error.code == ENOENT; }

class Surveyor {
public:
    explicit Surveyor(int proc) : proc_(proc) {
        users_ = parse_id_names(sys::read_file("/etc/passwd").value_or(""));
        groups_ = parse_id_names(sys::read_file("/etc/group").value_or(""));
    }

    Result<void> find_machine();
    void read_process(pid_t pid);
    [[nodiscard]] Survey finish();

private:
    struct Reading {
        SurveyedProcess process;
        bool any = false;  ///< a living thread was read
    };
    void read_threads(Reading& reading, const ProcessFolder& held);
    void add_process(Reading& reading, int folder, const TaskFacts& facts);
    void add_thread(Reading& reading, const TaskFacts& facts);
    void add_namespaces(Reading& reading, const TaskFacts& facts);
    void add_descriptors(Reading& reading, int folder, const TaskFacts& facts);
    void add_mounts(const TaskFacts& facts, int folder);
    SurveyedNamespace& kept(std::size_t row, std::uint64_t id);
    std::vector<Change> grants_of(const TaskFacts& facts);
    const Result<Listeners>& listeners_of(const TaskFacts& facts, int folder);
    void settle(Reading& reading);

    int proc_;
    IdNames users_, groups_;
    NamespaceTable table_;
    NamespaceIds machine_{};
    std::map<std::pair<std::size_t, std::uint64_t>, SurveyedNamespace> kept_;
    std::map<std::uint64_t, Result<Listeners>> listeners_;  // by network namespace
    Result<Listeners> unshared_;
    std::set<std::uint64_t> trees_;  // mount namespaces whose mounts were read
    Survey survey_;
};

Result<void> Surveyor::find_machine() {
    const auto self = TRY(sys::openat(proc_, "self", O_RDONLY | O_DIRECTORY));
    for (std::size_t row = 0; row < kNamespaces.size(); ++row) {
        const auto id = table_.id_in(self.get(), kNamespaces.at(row));
        if (const auto* value = value_of(id)) machine_.at(row) = *value;
    }
    if (::geteuid() == 0) return {};
    const auto mounts = parse_mountinfo(TRY(sys::read_file(self.get(), "mountinfo")));
    if (!mounts) return std::unexpected(mounts.error());
    for (const auto& mount : *mounts)
        for (const auto* option : {"hidepid=invisible", "hidepid=2", "hidepid=ptraceable", "hidepid=4"})
            if (mount.place == "/proc" && mount.super_has(option))
                survey_.unread.emplace_back("other users' processes: /proc hides them (hidepid)");
    return {};
}

SurveyedNamespace& Surveyor::kept(std::size_t row, std::uint64_t id) {
    auto& one = kept_[{row, id}];
    one.type = kNamespaces.at(row).name;
    one.id = id;
    one.machines = machine_.at(row) && *machine_.at(row) == id;
    return one;
}

// Groups by name: their numbers differ from machine to machine.
std::vector<Change> Surveyor::grants_of(const TaskFacts& facts) {
    static const Posture kNothing = nothing_granted();
    auto grants = compare(kNothing, posture_of(facts, machine_));
    for (auto& grant : grants)
        if (grant.field == "identity.groups")
            if (const auto id = number_of<std::uint32_t>(grant.item))
                grant.item = "group " + name_of(groups_, *id);
    std::erase_if(grants, [](const Change& grant) { return grant.shift == Shift::tighter; });
    return grants;
}

void Surveyor::add_namespaces(Reading& reading, const TaskFacts& facts) {
    const auto& status = facts.status;
    for (std::size_t row = 0; row < kNamespaces.size(); ++row) {
        const auto& known_id = facts.namespaces.at(row);
        if (const auto* unknown = std::get_if<Unknown>(&known_id)) {
            if (unknown->code != ENOENT)
                reading.process.unread.push_back(unread_in_words("namespaces", *unknown));
            continue;
        }
        auto& one = kept(row, *value_of(known_id));
        if (one.tasks++ == 0) one.first = fmt::format("{} (process {})", status.name, status.tgid);
    }
}

void Surveyor::add_thread(Reading& reading, const TaskFacts& facts) {
    auto& process = reading.process;
    const auto& status = facts.status;
    add_namespaces(reading, facts);
    auto grants = grants_of(facts);
    const auto reached = farthest_power(grants);
    const auto filters = status.seccomp == 2 ? status.seccomp_filters.value_or(1) : 0;
    process.filters = reading.any ? std::min(process.filters.value_or(0), filters) : filters;
    process.strict = (process.strict || !reading.any) && status.seccomp == 1;
    if (reading.any && reached.power <= process.power) return;
    process.power = reached.power;
    process.why = (reading.any ? "one thread " : "") + reached.why;
    process.subject.tid = status.pid;
    process.subject.command = status.name;
    process.user = name_of(users_, farthest_id(status.uid));
    process.grants = std::move(grants);
    const auto* user = value_of(facts.namespaces.at(namespace_row("user")));
    process.machines_users = user == nullptr || !machine_.at(namespace_row("user")) ||
                             *user == *machine_.at(namespace_row("user"));
    reading.any = true;
}

const Result<Listeners>& Surveyor::listeners_of(const TaskFacts& facts, int folder) {
    const auto* id = value_of(facts.namespaces.at(namespace_row("network")));
    // Unreadable: its own answer is still that of its namespace, but nobody may share it.
    if (id == nullptr) return unshared_ = read_listeners(folder, -1);
    const auto found = listeners_.find(*id);
    if (found != listeners_.end()) return found->second;
    return listeners_.emplace(*id, read_listeners(folder, table_.descriptor_of(*id))).first->second;
}

void Surveyor::add_descriptors(Reading& reading, int folder, const TaskFacts& facts) {
    auto& process = reading.process;
    const auto unread = [&process](const Error& error) {
        if (!has_ended(error))
            process.unread.push_back(unread_in_words("descriptors", {error.code, error.attempt}));
    };
    const auto held = read_descriptors(folder);
    if (!held) return unread(held.error());
    const auto& listeners = listeners_of(facts, folder);
    if (!listeners) return unread(listeners.error());
    std::set<std::string> listens;
    for (const auto inode : held->sockets)
        if (const auto found = listeners->find(inode); found != listeners->end())
            if (found->second.find(':') != std::string::npos || is_control_socket(found->second))
                listens.insert(found->second);
    process.listens.assign(listens.begin(), listens.end());
    for (const auto& handle : held->namespaces) {
        // Another file may stand there by now, one whose opening would wait for a peer.
        const auto id = table_.id_of(sys::openat(folder, handle.path, O_RDONLY | O_NONBLOCK), *handle.row);
        const auto row = static_cast<std::size_t>(handle.row - kNamespaces.begin());
        const auto who = fmt::format("a descriptor of {} (process {})", facts.status.name, facts.status.tgid);
        if (const auto* value = value_of(id)) kept(row, *value).handles.push_back(who);
    }
}

// Namespaces that are mounted somewhere in this task's tree, as `ip netns add` does.
void Surveyor::add_mounts(const TaskFacts& facts, int folder) {
    const auto* tree = value_of(facts.namespaces.at(namespace_row("mount")));
    if (tree == nullptr || !trees_.insert(*tree).second) return;
    const auto text = sys::read_file(folder, "mountinfo");
    const auto root = sys::openat(folder, "root", O_PATH | O_DIRECTORY);
    const auto mounts = text ? parse_mountinfo(*text) : std::unexpected(text.error());
    if (!mounts || !root) {
        survey_.unread.push_back(
            fmt::format("the mounts of {} (process {})", facts.status.name, facts.status.tgid));
        return;
    }
    for (const auto& mount : *mounts) {
        const auto handle = namespace_in_link(mount.root);
        if (mount.type != "nsfs" || handle.row == nullptr) continue;
        const auto id =
            table_.id_of(sys::open_in_root(root->get(), mount.place, O_RDONLY | O_NONBLOCK), *handle.row);
        const auto row = static_cast<std::size_t>(handle.row - kNamespaces.begin());
        const auto* value = value_of(id);
        if (value != nullptr) kept(row, *value).handles.push_back("a mount at " + mount.place);
    }
}

// Where the leader has ended its files are empty; those of a living thread are not.
void Surveyor::add_process(Reading& reading, int folder, const TaskFacts& facts) {
    const bool first = !reading.any;
    add_thread(reading, facts);
    if (!first) return;
    add_descriptors(reading, folder, facts);
    add_mounts(facts, folder);
}

void Surveyor::read_threads(Reading& reading, const ProcessFolder& held) {
    const auto names = sys::list_directory(held.folder.get(), "task");
    if (!names) return;
    for (const auto& name : *names) {
        if (name == std::to_string(reading.process.subject.pid)) continue;  // the leader was read
        const auto folder = sys::openat(held.folder.get(), "task/" + name, O_RDONLY | O_DIRECTORY);
        if (!folder) continue;  // it ended
        const auto facts = read_facts(folder->get(), table_);
        if (facts && facts->status.state != 'Z') add_process(reading, folder->get(), *facts);
    }
}

void Surveyor::settle(Reading& reading) {
    auto& process = reading.process;
    for (const auto& word : process.listens)
        if (is_control_socket(word))
            process.grants.push_back({"network.listen", word, Shift::looser, "", "granted"});
    if (const auto reached = farthest_power(process.grants);
        reached.power > process.power || reached.why.starts_with("its socket")) {
        process.power = reached.power;
        process.why = reached.why;
    }
    auto& unread = process.unread;
    std::ranges::sort(unread);
    unread.erase(std::ranges::unique(unread).begin(), unread.end());
    ++survey_.all;
    survey_.seen += unread.empty() ? 1 : 0;
    survey_.processes.push_back(std::move(process));
}

void Surveyor::read_process(pid_t pid) {
    const auto held = open_process_folder(proc_, pid);
    const auto stat = held ? sys::read_file(held->folder.get(), "stat") : std::unexpected(held.error());
    const auto parsed = stat ? parse_proc_stat(*stat) : std::unexpected(stat.error());
    if (parsed && parsed->of_kernel()) {
        ++survey_.kernel_threads;
        return;
    }
    const auto facts = stat ? read_facts(held->folder.get(), table_) : std::unexpected(stat.error());
    Reading reading;
    reading.process.subject.pid = reading.process.subject.tid = pid;
    if (!facts) {
        if (has_ended(facts.error())) return;
        reading.process.unread.push_back(
            unread_in_words("everything", {facts.error().code, facts.error().attempt}));
        return settle(reading);
    }
    reading.process.subject.start = parsed ? parsed->start : 0;
    reading.process.subject.exe = sys::readlinkat(held->folder.get(), "exe").value_or("");
    reading.process.threads = facts->status.threads;
    reading.process.home = home_of(facts->cgroups);
    if (facts->status.state != 'Z') add_process(reading, held->folder.get(), *facts);
    if (facts->status.threads > 1) read_threads(reading, *held);
    if (reading.any) settle(reading);  // else a zombie: nothing runs any more
}

// How far from outside a process can be asked for something: 2 any address, 1 this machine, 0 nobody.
int exposure_of(const SurveyedProcess& process) {
    int most = 0;
    for (const auto& word : process.listens)
        most = std::max(most, word.starts_with("localhost:") || word.find(':') == std::string::npos ? 1 : 2);
    return most;
}

Survey Surveyor::finish() {
    std::ranges::sort(survey_.processes, [](const SurveyedProcess& a, const SurveyedProcess& b) {
        const auto rank = [](const SurveyedProcess& one) {
            return std::tuple{-static_cast<int>(one.power), -exposure_of(one), one.filters.value_or(0),
                              one.subject.pid};
        };
        return rank(a) < rank(b);
    });
    for (auto& [key, one] : kept_) survey_.namespaces.push_back(std::move(one));
    return std::move(survey_);
}

}  // namespace

Result<Survey> survey_machine() {
    const auto proc = TRY(open_proc());
    Surveyor surveyor(proc.get());
    CHECK(surveyor.find_machine());
    for (const auto& name : TRY(sys::list_directory(proc.get(), ".")))
        if (const auto pid = number_of<pid_t>(name)) surveyor.read_process(*pid);
    return surveyor.finish();
}

}  // namespace guard::audit
