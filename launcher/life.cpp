#include "launcher/life.h"

#include <fcntl.h>
#include <poll.h>

#include <algorithm>
#include <csignal>
#include <ctime>

#include "base/cgroup_layout.h"
#include "base/digest.h"
#include "base/process.h"
#include "base/split.h"
#include "base/sys.h"
#include "launcher/log.h"
#include "launcher/network_names.h"

namespace guard::launcher {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kGrace = 10s;  // for undoing what was made, after the payload has ended
constexpr std::size_t kShortDigest = 6;

std::map<std::string, std::string> leaves_of(const Record& record, const CgroupLayout& layout) {
    std::map<std::string, std::string> leaves;
    for (const auto& [controller, path] : record.bindings.cgroups)
        if (auto folder = cgroup_folder(layout, controller, path)) leaves[controller] = std::move(*folder);
    return leaves;
}

// The supervisor does not listen: the container ends all the same, and what it made goes with it.
Result<void> end_by_force(const Record& record, const ProcessHandle& supervisor) {
    const auto layout = TRY(find_cgroup_layout());
    CHECK(kill_cgroup(leaves_of(record, layout)));
    if (TRY(sys::pidfd_wait(supervisor.pidfd.get(), static_cast<int>(milliseconds(kGrace).count()))))
        return {};
    CHECK(sys::pidfd_send_signal(supervisor.pidfd.get(), SIGKILL));
    if (TRY(sys::pidfd_wait(supervisor.pidfd.get(), static_cast<int>(milliseconds(kGrace).count()))))
        return {};
    return fail("stop " + record.name, "its supervisor does not end",
                "see whether a disk or a network share hangs");
}

std::string state_of(const Record& record) {
    if (life_of(record) == Life::dead) return "dead";
    return record.stage;
}

Sources compare_sources(const Record& record, std::vector<std::string>& changed) {
    auto result = Sources::unchanged;
    for (const auto& source : record.launched.sources) {
        const auto text = sys::read_file(source.path);
        if (text && digest_of(*text) == source.digest) continue;
        changed.push_back(source.path);
        if (result != Sources::unreadable) result = text ? Sources::changed : Sources::unreadable;
    }
    return result;
}

void add_process(const Record& record, Status& status) {
    const auto process = open_process(record.bindings.payload);
    if (!process) return;
    status.pid = process->id.pid;
    const auto text = sys::read_file("/proc/" + std::to_string(status.pid) + "/status");
    if (!text) return;
    for (const auto line : lines_of(*text)) {
        const auto words = words_of(line);
        if (words.size() < 2) continue;
        // A name may hold blanks: everything after the tab.
        if (words[0] == "Name:") status.command = line.substr(line.find('\t') + 1);
        if (words[0] == "Uid:") status.host_uid = number_of<std::uint32_t>(words[1]).value_or(0);
        if (words[0] == "Threads:") status.threads = number_of<std::uint64_t>(words[1]);
    }
}

std::optional<std::uint64_t> limit_of(const Record& record, const std::string& item) {
    const auto* const limits = value_of(record.launched.posture.limits);
    if (limits == nullptr) return std::nullopt;
    const auto limit = limits->find(item);
    return limit == limits->end() ? std::nullopt : limit->second.most;
}

std::vector<std::string> granted(const Known<Grants<std::string>>& known) {
    const auto* const grants = value_of(known);
    if (grants == nullptr) return {};
    return {grants->all.begin(), grants->all.end()};
}

void add_profile(const Record& record, Status& status) {
    const auto& profile = record.launched;
    status.profile = profile.name;
    if (!profile.sources.empty()) {
        status.file = profile.sources.front().path;
        status.digest = profile.sources.front().digest.substr(0, kShortDigest);
    }
    status.sources = compare_sources(record, status.changed_files);
    status.user = profile.service.users.name;
    status.publish = granted(profile.posture.network.publish);
    status.egress = granted(profile.posture.network.egress);
}

void add_names(Status& status) {
    std::map<std::string, std::vector<std::string>> names;
    for (const auto& text : status.egress)
        if (const auto word = parse_egress(text); word && word->to == EgressWord::To::name) names[text];
    if (!names.empty()) {
        auto found = addresses_of_names(status.name);
        if (!found) return;
        found->merge(names);
        names = std::move(*found);
    }
    status.names = std::move(names);
}

Status status_of(const Record& record) {
    Status status;
    status.name = record.name;
    status.state = state_of(record);
    if (record.started > 0)
        status.up = std::chrono::seconds(std::max<std::int64_t>(std::time(nullptr) - record.started, 0));
    add_profile(record, status);
    add_names(status);
    add_process(record, status);
    status.memory.limit = limit_of(record, "memory");
    status.cpu.limit = limit_of(record, "cpus");
    status.processes.limit = limit_of(record, "pids");
    status.addresses = record.bindings.addresses;
    status.data = record.data;
    status.log = record.log;
    return status;
}

void add_usage(const Usage& usage, Status& status) {
    status.memory.now = usage.memory;
    status.memory.peak = usage.memory_peak;
    status.processes.now = usage.pids;
    status.processes.peak = usage.pids_peak;
    status.oom_kills = usage.oom_kills.value_or(0);
}

// What the cpu does is told by two looks at how much of it was used.
std::vector<Status> measured(const std::vector<Record>& records, milliseconds sample) {
    const auto layout = find_cgroup_layout();
    std::vector<Status> all;
    std::vector<std::optional<std::uint64_t>> before;
    const auto usage_of = [&layout](const Record& record) {
        return layout ? read_usage(leaves_of(record, *layout)) : Usage{};
    };
    const auto start = steady_clock::now();
    for (const auto& record : records) {
        all.push_back(status_of(record));
        const auto usage = usage_of(record);
        add_usage(usage, all.back());
        before.push_back(usage.cpu_usec);
    }
    if (sample == 0ms || records.empty()) return all;
    ::poll(nullptr, 0, static_cast<int>(sample.count()));
    for (std::size_t i = 0; i < records.size(); ++i) {
        const auto now = usage_of(records[i]).cpu_usec;
        const std::chrono::duration<double> passed = steady_clock::now() - start;
        if (now && before[i] && *now >= *before[i])
            all[i].cpu.now =
                static_cast<std::uint64_t>(static_cast<double>(*now - *before[i]) / passed.count());
    }
    return all;
}

}  // namespace

Result<void> stop(const std::string& name, std::optional<milliseconds> timeout) {
    const auto record = TRY(named_record(name));
    const auto patience = timeout.value_or(record.launched.service.stop_timeout);
    if (const auto supervisor = open_process(record.bindings.supervisor);
        supervisor && life_of(record) == Life::running) {
        // 0 means the profile's own timeout, so that "at once" is one millisecond.
        const auto value = timeout ? std::max<std::int64_t>(timeout->count(), 1) : 0;
        CHECK(sys::pidfd_send_signal(supervisor->pidfd.get(), SIGTERM, static_cast<int>(value)));
        const auto wait = patience + milliseconds(kGrace);
        if (!TRY(sys::pidfd_wait(supervisor->pidfd.get(), static_cast<int>(wait.count()))))
            CHECK(end_by_force(record, *supervisor));
    }
    // A supervisor that ended well has undone everything and left no record.
    clean_up_dead();
    const auto left = load_record(name);
    if (!left || left->bindings.supervisor != record.bindings.supervisor) return {};
    return clean_up(*left);  // tells why it can't be undone
}

Result<std::vector<Status>> list(milliseconds sample) {
    std::vector<Record> records;
    for (const auto& name : TRY(recorded_names()))
        // One that ends between the two calls, or is just being made, has no record.
        if (auto record = load_record(name)) records.push_back(std::move(*record));
    return measured(records, sample);
}

Result<Status> status(const std::string& name, milliseconds sample) {
    std::vector<Record> records;
    records.push_back(TRY(named_record(name)));
    return measured(records, sample).front();
}

Result<void> logs(const std::string& name, Follow follow, const std::function<bool(std::string_view)>& sink) {
    CHECK(check_name(name));
    const auto record = load_record(name);
    const auto path = record && !record->log.empty() ? record->log : state_paths().log + "/" + name + ".log";
    const auto more = [&name] {
        const auto now = load_record(name);
        return now && life_of(*now) == Life::running;
    };
    auto done = read_log(path, sink, follow == Follow::yes ? std::function<bool()>(more) : nullptr);
    if (!done && done.error().code == ENOENT)
        return fail("show the log of " + name, "there is no " + path, "guard list shows what runs");
    return done;
}

}  // namespace guard::launcher
