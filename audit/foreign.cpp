#include "audit/foreign.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <span>

#include "audit/foreign_mounts.h"
#include "audit/known.h"
#include "audit/scan.h"
#include "base/process.h"
#include "base/sys.h"
#include "posture/fields.h"
#include "posture/limit.h"
#include "posture/waivers.h"

namespace guard::audit {
namespace {

bool is_own_range(const Grants<IdLine>& lines) {
    return std::ranges::any_of(lines.all, [](const IdLine& line) { return line.own; });
}

// Id 0 of this machine is root, whatever it is called inside.
bool touches_root(const Grants<IdLine>& lines) {
    return std::ranges::any_of(lines.all, [](const IdLine& line) { return line.outside == 0; });
}

void judge_map(Known<Grants<IdLine>>& observed, const Known<Grants<IdLine>>& declared) {
    const auto* lines = value_of(observed);
    const auto* expected = value_of(declared);
    if (lines == nullptr || expected == nullptr || lines->all.empty()) return;
    if (is_own_range(*expected) && !touches_root(*lines)) observed = *expected;
}

// Where a task has no other interface than its own loopback, nothing gets in or out, whatever the rules are.
void judge_network(Reach& observed, const Reach& declared) {
    const auto* interfaces = value_of(observed.interfaces);
    const bool alone = interfaces != nullptr &&
                       std::ranges::all_of(interfaces->all, [](const auto& name) { return name == "lo"; });
    for (auto field : {&Reach::publish, &Reach::egress, &Reach::peers}) {
        if (alone)
            observed.*field = Grants<std::string>{};
        else
            observed.*field = Unknown{0, "the packet rules of another launcher are not judged"};
    }
    if (std::holds_alternative<Absent>(declared.interfaces)) observed.interfaces = declared.interfaces;
}

// Everything that a judgement of one foreign process needs.
struct Foreign {
    Record record;       ///< stands in for a launch record: what can be told from outside
    TaskNamespaces own;  ///< of the process that was named
};

Result<Foreign> stand_in(int proc, pid_t pid, const Profile& profile) {
    NamespaceTable table;
    const auto process = TRY(open_process_folder(proc, pid));
    const auto facts = TRY(read_facts(process.folder.get(), table));
    const auto self = TRY(sys::openat(proc, "self", O_RDONLY | O_DIRECTORY));
    const auto mine = TRY(read_facts(self.get(), table));
    Foreign foreign;
    auto& record = foreign.record;
    record.name = fmt::format("process {}", pid);
    record.launched = profile;
    record.launched.posture = declared_for_any_launch(profile);
    record.bindings.init = record.bindings.payload = TRY(open_process(pid)).id;
    for (std::size_t row = 0; row < kNamespaces.size(); ++row) {
        const std::string name(kNamespaces.at(row).name);
        const auto* its = value_of(facts.namespaces.at(row));
        const auto* host = value_of(mine.namespaces.at(row));
        if (host != nullptr) record.bindings.host[name] = *host;
        if (its != nullptr && (host == nullptr || *its != *host)) record.bindings.own[name] = *its;
    }
    // Whoever made its cgroup: every limit above it holds it too.
    for (const auto& [controller, path] : facts.cgroups)
        if (!controller.starts_with("name=")) record.bindings.cgroups[controller] = "/";
    foreign.own = facts.namespaces;
    return foreign;
}

// Mounts that can't be read have no source here; the tree is unknown then.
void bind_sources(Record& record, const SharedFacts& shared) {
    const auto text = sys::read_file("/proc/self/mountinfo");
    const auto host = text ? parse_mountinfo(*text) : std::unexpected(text.error());
    if (!host) return;
    for (const auto& [key, tree] : shared.trees)
        if (const auto* lines = value_of(tree.mounts))
            record.bindings.sources.merge(host_paths(*lines, *host));
}

bool same_namespaces(const TaskNamespaces& a, const TaskNamespaces& b) {
    return std::ranges::equal(a, b, [](const auto& one, const auto& other) {
        const auto *left = value_of(one), *right = value_of(other);
        return (left == nullptr && right == nullptr) ||
               (left != nullptr && right != nullptr && *left == *right);
    });
}

// Of whatever filters it carries only the meaning can be judged; of Landlock the kernel tells how many layers
// there are, and not their rules.
void judge_rights(Posture& observed, const SeenTask& task) {
    if (!task.exact) return;
    const Unknown rules{0, "what another launcher's Landlock rules open can't be read from outside"};
    for (auto* paths : {&observed.landlock.read, &observed.landlock.write, &observed.landlock.execute})
        if (value_of(*paths) == nullptr) *paths = rules;
}

Posture judged(const SeenTask& task, const Frame& frame) {
    const auto& declared = frame.record->launched.posture;
    auto posture = observe(task, frame, declared, Descent::no);
    judge_map(posture.identity.uid_map, declared.identity.uid_map);
    judge_map(posture.identity.gid_map, declared.identity.gid_map);
    // Some launchers name the first group among the further ones too: that gives nothing more.
    const auto* gid = value_of(posture.identity.gid);
    if (auto* groups = value_of(posture.identity.groups); groups != nullptr && gid != nullptr)
        groups->all.erase(gid->value);
    judge_network(posture.network, declared.network);
    judge_rights(posture, task);
    posture.revealed = Unknown{0, "which paths of the kernel another launcher hides is not judged"};
    if (auto* tree = value_of(posture.mounts); tree != nullptr && value_of(declared.mounts) != nullptr)
        *tree = without_customary(*tree, *value_of(declared.mounts));
    return posture;
}

std::size_t checks_of(const Posture& declared) {
    std::size_t checks = 0;
    each_field(declared, [&checks](std::string_view, const auto& field) {
        checks += std::holds_alternative<Unknown>(field) ? 0 : 1;
    });
    return checks;
}

}  // namespace

Posture declared_for_any_launch(const Profile& profile) {
    auto posture = profile.posture;
    const auto* relations = value_of(posture.namespaces);
    const auto network =
        relations == nullptr ? Named<Relation>::const_iterator{} : relations->find("network");
    const bool own_network =
        relations != nullptr && network != relations->end() && network->second.to == Relation::To::own;
    if (auto* interfaces = value_of(posture.network.interfaces); interfaces != nullptr && own_network)
        interfaces->all.insert("lo");
    if (profile.service.network.hostname.empty()) posture.hostname = Unknown{};
    if (auto* limits = value_of(posture.rlimits))
        std::erase_if(*limits, [](const auto& entry) { return entry.second.most == kHostHardLimit; });
    return posture;
}

namespace {

// It lives and /proc does not show it, for it is mounted with hidepid. proc(5)
bool is_hidden(int proc, pid_t pid) {
    const auto folder = sys::openat(proc, std::to_string(pid), O_RDONLY | O_DIRECTORY);
    return !folder && folder.error().code == ENOENT && sys::pidfd_open(pid);
}

Report unseen(pid_t pid, const Profile& profile) {
    const Subject subject{fmt::format("process {}", pid), pid, pid, 0, "", ""};
    Report report;
    report.containers.push_back({subject.unit, 0, checks_of(declared_for_any_launch(profile))});
    report.findings.push_back(
        raise_unknown("process.unseen", subject,
                      "it lives, and /proc, which hides other users' processes, does not show it"));
    return report;
}

// Nobody launched it for guard, so nothing is proved inherited: the kernel itself is asked. BPF unless
// another way was chosen.
void ask_about(Scan& scanned, int proc, const Foreign& foreign, Ask how, KernelReader& kernel) {
    std::erase_if(scanned.tasks, [&foreign](const SeenTask& task) {
        return task.pid != foreign.record.bindings.init.pid &&
               !same_namespaces(task.facts.namespaces, foreign.own);
    });
    ask_kernel(scanned, proc, how == Ask::ptrace ? Ask::ptrace : Ask::bpf, kernel);
}

// All filters of a task at once: one call more is one finding of the whole, or there would be hundreds.
std::vector<Finding> filter_findings(std::span<const Case> cases, const std::vector<SeenTask>& tasks) {
    std::vector<Finding> findings;
    for (std::size_t at = 0; at < cases.size(); ++at) {
        const auto& one = cases[at];
        auto more = tasks[at].exact ? newly_allowed(*one.from, *tasks[at].exact) : std::string();
        if (more.empty()) continue;
        findings.push_back(raise("seccomp.access", one.subject, "what the profile allows",
                                 "also " + std::move(more), origin_of(*one.origins, "seccomp.access")));
        findings.back().verdict = Verdict::violation;
    }
    return findings;
}

}  // namespace

Result<Report> audit_process(pid_t pid, const Profile& profile, const Options& options) {
    const auto proc = TRY(open_proc());
    if (is_hidden(proc.get(), pid)) return unseen(pid, profile);
    auto foreign = TRY(stand_in(proc.get(), pid, profile));
    KernelReader own;
    auto& kernel = options.kernel != nullptr ? *options.kernel : own;
    auto scanned = TRY(scan(proc.get(), {.namespaces = {}, .cgroups = {}, .inits = {pid}}, kernel.kept()));
    ask_about(scanned, proc.get(), foreign, options.ask, kernel);
    auto& record = foreign.record;
    bind_sources(record, scanned.shared);
    const Frame frame{&record, &scanned.shared, &scanned.namespaces, &scanned.parents, &scanned.names,
                      {},      Unknown{}};
    std::vector<Posture> postures;
    std::vector<Case> cases;
    postures.reserve(scanned.tasks.size());  // cases point into it
    for (const auto& task : scanned.tasks) {
        postures.push_back(judged(task, frame));
        cases.push_back(
            {{record.name, task.pid, task.tid, task.details.start, task.facts.status.name, task.details.exe},
             &record.launched.posture,
             &postures.back(),
             &record.launched.origins,
             &record.launched.waivers});
    }
    if (cases.empty()) return fail_errno(fmt::format("judge process {}", pid), ESRCH);
    Report report;
    report.containers.push_back({record.name, cases.size(), checks_of(record.launched.posture)});
    report.findings = judge(cases, Against::profile, options.today);
    auto further = merged(filter_findings(cases, scanned.tasks));
    apply_waivers(further, record.launched.waivers, options.today);
    std::ranges::move(further, std::back_inserter(report.findings));
    report.findings = merged(std::move(report.findings));
    return report;
}

}  // namespace guard::audit
