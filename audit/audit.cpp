#include "audit/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cerrno>

#include "audit/host.h"
#include "audit/known.h"
#include "audit/process_facts.h"
#include "audit/scan.h"
#include "audit/scan_files.h"
#include "audit/select.h"
#include "base/digest.h"
#include "base/process.h"
#include "base/sys.h"
#include "posture/capability.h"
#include "posture/compare.h"
#include "posture/fields.h"
#include "posture/words.h"

namespace guard::audit {
namespace {

// Questions asked besides the fields of each task: foreign, escaped, outside its cgroup, unstable, unseen,
// led by a thread that ended; somebody's handles on its namespaces; the packet filter; the machine's own
// settings.
constexpr std::size_t kFurtherChecks = 9;

Subject subject_of(const Record& record) {
    const auto& payload = record.bindings.payload;
    return {record.name, payload.pid, payload.pid, payload.start, "", ""};
}

Subject subject_of(const Record& record, const SeenTask& task) {
    return {record.name, task.pid, task.tid, task.details.start, task.facts.status.name, task.details.exe};
}

std::string listed(const std::vector<std::string>& words) {
    return fmt::format("{}", fmt::join(words, ", "));
}

// In an owner's words: what a process can do that did not come from the launch.
std::string described(const ProcStatus& status) {
    std::vector<std::string> says;
    says.push_back(fmt::format("user {} of this machine", status.uid[1]));
    if (status.cap_effective != 0)
        says.push_back(fmt::format("{} capabilities", std::popcount(status.cap_effective)));
    if (status.seccomp != 2) says.emplace_back("no filter");
    if (status.no_new_privs == 0) says.emplace_back("may gain privileges");
    return listed(says);
}

/// One container under audit: its tasks, and what they add up to.
class ContainerAudit {
public:
    ContainerAudit(const Record& record, const Scan& scan, Frame frame)
        : record_(&record), scan_(&scan), frame_(std::move(frame)), command_(command()) {}

    void add(const SeenTask& task);
    [[nodiscard]] std::vector<Finding> findings(std::chrono::year_month_day today);
    [[nodiscard]] std::size_t tasks() const { return tasks_; }
    [[nodiscard]] const Record& record() const { return *record_; }
    /// Whether something is unknown that the kernel could be asked.
    [[nodiscard]] bool unproved() const {
        return std::ranges::any_of(cases_, [](const Case& one) { return is_unproved(*one.from, *one.to); });
    }

private:
    // A posture that at least one task has; tasks that print the same facts have the same posture.
    struct Observed {
        Posture posture;
        bool as_launched = false;
        std::string newly_allowed;  // calls, where its filters are others
    };
    const Observed& observed(const SeenTask& task, const Posture& launched);
    [[nodiscard]] const SeenTask* command() const;
    [[nodiscard]] Known<bool> shares_filter(const SeenTask& task) const;
    [[nodiscard]] Descent descent_of(const SeenTask& task) const;
    void add_foreign(const SeenTask& task, const Membership& member);
    void add_member(const SeenTask& task, const Membership& member);
    void add_kept_namespaces();
    void add_unseen();

    const Record* record_;
    const Scan* scan_;
    Frame frame_;
    const SeenTask* command_;
    std::size_t tasks_ = 0;
    bool init_seen_ = false;
    std::map<std::string, Observed> postures_;  // by fingerprint; a map, for Case points into it
    std::vector<Case> cases_;
    std::vector<Finding> raised_;
};

// All that observe reads of the task itself: equal texts are equal postures, so most tasks cost one look-up.
std::string fingerprint(const SeenTask& task) {
    const auto& status = task.facts.status;
    const auto text = [](const Known<std::string>& known_text) {
        const auto* value = value_of(known_text);
        return value != nullptr ? *value : std::to_string(std::get<Unknown>(known_text).code);
    };
    auto print =
        fmt::format("{} {} {} {:x} {:x} {:x} {:x} {:x} {} {} {} {} {}", fmt::join(status.uid, ","),
                    fmt::join(status.gid, ","), fmt::join(status.groups, ","), status.cap_inheritable,
                    status.cap_permitted, status.cap_effective, status.cap_bounding, status.cap_ambient,
                    status.no_new_privs, status.seccomp, status.seccomp_filters.value_or(0),
                    status.umask.value_or(~0U), status.tracer != 0);
    for (const auto& id : task.facts.namespaces)
        print += fmt::format(" {}", value_of(id) != nullptr ? *value_of(id) : 0);
    for (const auto& [controller, path] : task.facts.cgroups) print += " " + controller + ":" + path;
    const auto& details = task.details;
    const auto* owner = value_of(details.owner);
    const auto* root = value_of(details.root);
    if (root != nullptr) print += fmt::format(" {} {} {}", root->mount, root->device, root->inode);
    print += fmt::format("\n{}\n{}\n{}\n{}", text(details.personality),
                         owner != nullptr && *owner == status.uid[1], text(details.limits),
                         text(details.oom_score_adj));
    const auto* stat = value_of(details.stat);
    const auto* disk = value_of(details.disk_class);
    const auto* label = value_of(details.label);
    if (stat != nullptr)
        print += fmt::format(" {} {} {} {}", stat->policy, stat->realtime, stat->nice, stat->terminal);
    print += fmt::format(" {} {}\n{}\n", status.cpus_allowed, disk != nullptr ? *disk : -1,
                         label != nullptr ? label->value_or("") : "?");
    if (task.tid == task.pid) print += status.name;
    print += print_of(task.exact);
    return print + (details.process == nullptr ? "" : "\n" + details.process->print);
}

// The command that was launched, as it was seen; null where it has ended.
const SeenTask* ContainerAudit::command() const {
    const auto& recorded = record_->bindings.payload;
    const auto found = std::ranges::find_if(scan_->tasks, [&recorded](const SeenTask& task) {
        return task.tid == recorded.pid && task.details.start == recorded.start;
    });
    return found == scan_->tasks.end() ? nullptr : &*found;
}

// Whether a task carries the very filter that was loaded for the command.
Known<bool> ContainerAudit::shares_filter(const SeenTask& task) const {
    const auto* const recorded = value_of(record_->launched.posture.seccomp.content);
    if (recorded == nullptr || command_ == nullptr || !command_->exact || !task.exact) return Unknown{};
    return share_a_load(*command_->exact, *task.exact, *recorded);
}

Descent ContainerAudit::descent_of(const SeenTask& task) const {
    if (task.pid == record_->bindings.init.pid) return Descent::yes;
    if (command_ != nullptr && descends(scan_->parents, task.pid, command_->pid)) return Descent::yes;
    const auto shared = shares_filter(task);
    const auto* const same = value_of(shared);
    return same != nullptr && *same ? Descent::yes : Descent::adopted;
}

const ContainerAudit::Observed& ContainerAudit::observed(const SeenTask& task, const Posture& launched) {
    const auto descent = descent_of(task);
    auto key = fmt::format("{} {} {}", static_cast<const void*>(&launched), static_cast<int>(descent),
                           fingerprint(task));
    const auto known_one = postures_.find(key);
    if (known_one != postures_.end()) return known_one->second;
    Observed seen{observe(task, frame_, launched, descent), false};
    seen.as_launched = compare(launched, seen.posture).empty();
    if (task.exact) seen.newly_allowed = newly_allowed(launched, *task.exact);
    return postures_.emplace(std::move(key), std::move(seen)).first->second;
}

void ContainerAudit::add_member(const SeenTask& task, const Membership& member) {
    // PID 1 is guard's own reaper, with a posture of its own.
    const bool is_init = task.pid == record_->bindings.init.pid;
    init_seen_ |= is_init;
    const auto& launched = is_init ? record_->reaper : record_->launched.posture;
    const auto& seen = observed(task, launched);
    const auto subject = subject_of(*record_, task);
    if (!seen.as_launched)
        cases_.push_back(
            {subject, &launched, &seen.posture, &record_->launched.origins, &record_->launched.waivers});
    if (!seen.newly_allowed.empty())
        raised_.push_back(
            raise("seccomp.access", subject, "what the profile allows", "also " + seen.newly_allowed));
    if (!member.on_host.empty())
        raised_.push_back(raise("process.escaped", subject, "namespaces of its own",
                                "in this machine's " + listed(member.on_host)));
    if (!member.outside.empty())
        raised_.push_back(raise("process.outside-cgroup", subject, "in the cgroup made for the container",
                                "in " + listed(member.outside)));
}

void ContainerAudit::add(const SeenTask& task) {
    const auto member = membership(task, *record_, scan_->parents);
    if (!member.any()) return;
    ++tasks_;
    const auto subject = subject_of(*record_, task);
    if (scan_->unstable.contains(task.tid))
        raised_.push_back(
            raise_unknown("process.unstable", subject, "it changed while it was read, three times"));
    if (task.leader_ended)
        raised_.push_back(raise("process.leader-ended", subject, "a process with its first thread",
                                "a thread that lives on behind one that has ended"));
    const auto shared = shares_filter(task);
    const bool came_in =
        value_of(shared) != nullptr && !*value_of(shared) && descent_of(task) == Descent::adopted;
    if (member.descends && !came_in) return add_member(task, member);
    add_foreign(task, member);
}

void ContainerAudit::add_foreign(const SeenTask& task, const Membership& member) {
    const auto subject = subject_of(*record_, task);
    const auto what = described(task.facts.status);
    if (member.inside.empty())
        raised_.push_back(raise("process.escaped", subject, "only what the container started, in its cgroup",
                                "a process in this machine's namespaces: " + what));
    else
        raised_.push_back(raise("process.foreign", subject, "only what the container started",
                                "in its " + listed(member.inside) + " namespace: " + what));
}

void ContainerAudit::add_kept_namespaces() {
    const auto own = made_for(*record_);
    for (const auto& kept : scan_->kept) {
        const auto id = scan_->namespaces.id_of_inode(kept.inode);
        const auto row =
            std::ranges::find_if(own, [&id](const auto& entry) { return id && entry.second == *id; });
        if (row == own.end()) continue;
        const auto where = kept.holder == 0 ? "a mount at " + kept.by : kept.by;
        raised_.push_back(raise(
            "process.handle", {record_->name, kept.holder, kept.holder, kept.start, kept.name, kept.exe},
            "none but guard's own", fmt::format("{} on its {} namespace", where, row->first)));
    }
}

// A container whose first process lives and is not among those that /proc shows: nothing was looked at.
void ContainerAudit::add_unseen() {
    if (!init_seen_ && sys::pidfd_open(record_->bindings.init.pid))
        raised_.push_back(
            raise_unknown("process.unseen", subject_of(*record_),
                          "its first process lives, and /proc does not show it (as root in the "
                          "machine's own PID namespace, where no hidepid hides it, it is seen)"));
    for (const auto& [pid, code] : scan_->unread)
        raised_.push_back(raise_unknown("process.unseen", {record_->name, pid, pid, 0, "", ""},
                                        in_words(Unknown{code, "look at a process that may be in it"})));
}

std::vector<Finding> ContainerAudit::findings(std::chrono::year_month_day today) {
    add_kept_namespaces();
    add_unseen();
    auto all = judge(cases_, Against::earlier, today);
    std::ranges::move(raised_, std::back_inserter(all));
    return all;
}

// Whether there is something to look at; else what to say instead.
enum class Stage : std::uint8_t { live, starting, over };
struct Standing {
    Stage stage = Stage::over;
    std::vector<Finding> findings;
};

Standing standing_of(const Record& record, const std::string& boot) {
    const auto& bindings = record.bindings;
    if (bindings.boot_id != boot)
        return {
            Stage::over,
            {raise("record.other-boot", subject_of(record), "this start of the machine", "an earlier one")}};
    const auto init = open_process(bindings.init);
    // Not to be seen is not to have ended: /proc may be mounted so that it shows nobody's but one's own.
    const bool hidden = !init && init.error().code != ESRCH;
    if (init || hidden) return {Stage::live, {}};
    // Written ahead: until its supervisor has started it, there is no process to look for.
    if (record.started == 0 && open_process(bindings.supervisor)) return {Stage::starting, {}};
    return {Stage::over,
            {raise("process.not-running", subject_of(record), "running", "its first process has ended")}};
}

// The files a profile was read from, by content: what the owner wants may have changed since the launch.
std::vector<Finding> profile_changes(const Record& record) {
    const Subject subject{record.name, 0, 0, 0, "", ""};
    std::vector<std::string> changed;
    std::vector<Finding> findings;
    for (const auto& source : record.launched.sources) {
        if (!source.path.starts_with('/')) continue;  // built in, or set on the command line
        const auto text = sys::read_file(source.path);
        if (!text && text.error().code == EACCES)
            findings.push_back(raise_unknown("record.profile-changed", subject,
                                             with_fix(describe(text.error()), text.error())));
        else if (!text)
            changed.push_back(source.path + " can't be read any more");
        else if (digest_of(*text) != source.digest)
            changed.push_back(source.path);
    }
    if (changed.empty()) return findings;
    findings.push_back(raise("record.profile-changed", subject, "as at launch", listed(changed),
                             Where{record.launched.sources.front().path, 0, 0}));
    return findings;
}

// Rules of somebody else's in guard's table, or the table gone: then nothing holds the containers' network.
std::vector<Finding> filter_changes(const Record& record, const Result<std::vector<std::string>>& strange) {
    if (record.launched.service.network.mode != NetworkMode::bridge) return {};
    const Subject subject{record.name, 0, 0, 0, "", ""};
    if (!strange && strange.error().code == ENOENT)
        return {raise("network.filter", subject, "the table inet guard", "nothing: it is gone")};
    if (!strange)
        return {
            raise_unknown("network.filter", subject, with_fix(describe(strange.error()), strange.error()))};
    if (strange->empty()) return {};
    return {raise("network.filter", subject, "the rules that guard made", listed(*strange))};
}

std::vector<Finding> unrecorded(const std::vector<Record>& records, const Scan& scanned) {
    std::vector<Finding> findings;
    for (const auto& [name, pid] : scanned.contained)
        if (std::ranges::find(records, name, &Record::name) == records.end())
            findings.push_back(raise("record.missing", Subject{name, pid, pid, 0, "", ""}, "a record",
                                     "processes in its cgroup, and no record"));
    return findings;
}

Frame frame_of(const Record& record, const std::vector<const Record*>& live, const Scan& scanned,
               const Known<std::vector<TableWord>>& table) {
    Frame frame{&record, &scanned.shared, &scanned.namespaces, &scanned.parents, &scanned.names, {}, table};
    for (const auto* other : live)
        if (other != &record)
            for (const auto& [name, id] : other->bindings.own) frame.owners.emplace(id, other->name);
    return frame;
}

std::vector<Finding> files_of(const Record& record, int proc) {
    const auto process = open_process_folder(proc, record.bindings.init.pid);
    if (process) return risky_files(record, process->folder.get());
    return {raise_unknown("files.unread", subject_of(record),
                          with_fix(describe(process.error()), process.error()))};
}

std::vector<ContainerAudit> look_at(const std::vector<const Record*>& live, const Scan& scanned,
                                    const Known<std::vector<TableWord>>& table) {
    std::vector<ContainerAudit> audits;
    for (const auto* record : live) {
        audits.emplace_back(*record, scanned, frame_of(*record, live, scanned, table));
        for (const auto& task : scanned.tasks) audits.back().add(task);
    }
    return audits;
}

// Asking the kernel costs more than the rest of an audit of a home server (30 ms once, to load the program),
// and tells nothing about a task that is proved to have inherited what was launched.
std::vector<ContainerAudit> look_exactly(const std::vector<const Record*>& live, Scan& scanned, int proc,
                                         const Known<std::vector<TableWord>>& table, Ask how,
                                         KernelReader& kernel) {
    if (how != Ask::when_unproved) ask_kernel(scanned, proc, how, kernel);
    auto audits = look_at(live, scanned, table);
    if (how != Ask::when_unproved || std::ranges::none_of(audits, &ContainerAudit::unproved)) return audits;
    ask_kernel(scanned, proc, how, kernel);
    return look_at(live, scanned, table);
}

// What an older guard did not note can't have drifted for anybody to see.
std::vector<Finding> not_recorded(const Record& record) {
    std::vector<Finding> findings;
    for (const auto* posture : {&record.launched.posture, &record.reaper})
        each_field(*posture, [&](std::string_view name, const auto& field) {
            const auto* const unknown = std::get_if<Unknown>(&field);
            if (unknown != nullptr && unknown->why == kNotRecorded)
                findings.push_back(raise_unknown(name, subject_of(record), unknown->why));
        });
    return findings;
}

std::size_t checks_of(const Record& record) {
    std::size_t checks = kFurtherChecks;
    each_field(record.launched.posture, [&checks](std::string_view, const auto& field) {
        checks += std::holds_alternative<Unknown>(field) ? 0 : 1;
    });
    return checks;
}

}  // namespace

Result<Report> audit_records(const std::vector<Record>& records, const Options& options) {
    const auto proc = TRY(open_proc());
    const auto boot = TRY(boot_id());
    Report report;
    std::vector<const Record*> live;
    for (const auto& record : records) {
        auto standing = standing_of(record, boot);
        if (standing.stage == Stage::live) live.push_back(&record);
        std::ranges::move(standing.findings, std::back_inserter(report.findings));
    }
    KernelReader own;
    auto& kernel = options.kernel != nullptr ? *options.kernel : own;
    auto scanned = TRY(scan(proc.get(), interest_in(live), kernel.kept()));
    const auto table = known(read_guard_table());
    auto audits = look_exactly(live, scanned, proc.get(), table, options.ask, kernel);
    const auto strange = strange_rules();
    for (const auto& record : records) {
        report.containers.push_back({record.name, 0, checks_of(record)});
        std::ranges::move(profile_changes(record), std::back_inserter(report.findings));
        const auto container = std::ranges::find_if(
            audits, [&record](const ContainerAudit& one) { return &one.record() == &record; });
        if (container == audits.end()) continue;
        std::ranges::move(filter_changes(record, strange), std::back_inserter(report.findings));
        std::ranges::move(host_findings(record), std::back_inserter(report.findings));
        std::ranges::move(not_recorded(record), std::back_inserter(report.findings));
        if (options.files == Files::scan)
            std::ranges::move(files_of(record, proc.get()), std::back_inserter(report.findings));
        report.containers.back().tasks = container->tasks();
        std::ranges::move(container->findings(options.today), std::back_inserter(report.findings));
    }
    if (options.records == Records::all)
        std::ranges::move(unrecorded(records, scanned), std::back_inserter(report.findings));
    report.findings = merged(std::move(report.findings));
    return report;
}

}  // namespace guard::audit
