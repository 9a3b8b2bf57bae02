#include "cli/watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <ctime>
#include <span>

#include "audit/watch_changes.h"
#include "audit/watch_events.h"
#include "audit/watch_told.h"
#include "base/sys.h"
#include "base/units.h"
#include "cli/exit_status.h"
#include "cli/look.h"
#include "cli/output.h"
#include "cli/watch_outputs.h"
#include "launcher/state.h"
#include "report/layout.h"

namespace guard::cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kInterval{1'500}, kShortest{100};
constexpr int kLookShare = 50;         // a look never takes more than this part of the time
constexpr milliseconds kGather{100};   // what comes within this after an event is one change
constexpr milliseconds kConfirm{150};  // between the two looks that tell a change from a passing moment
constexpr milliseconds kShowAgain{15'000};
// Whole audits without a sign of change: never more than this part of the time, never more often than this.
constexpr int kSweepShare = 1'000;
constexpr milliseconds kSweep{5'000};

std::string state_path() { return launcher::state_paths().run + "/.watch.json"; }

// Ends the watch by SIGINT and SIGTERM, and only there: nothing is left half told.
Result<UniqueFd> end_signals() {
    sigset_t set{};
    ::sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&set, signal);
    if (::sigprocmask(SIG_BLOCK, &set, nullptr) < 0) return fail_errno("hold signals back", errno);
    UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd) return fail_errno("wait for signals", errno);
    return fd;
}

Result<milliseconds> interval_of(const Invocation& invocation) {
    if (!invocation.has("interval")) return kInterval;
    const auto interval = TRY(parse_duration(invocation.value("interval")));
    if (interval < kShortest)
        return fail("watch every " + format_duration(interval), "that is too often", "100ms or more");
    return interval;
}

// Which launch records there are, as cheaply as can be: each is replaced as a whole when it changes.
std::string records_signature() {
    std::string signature;
    const auto run = launcher::state_paths().run;
    for (const auto& name : launcher::recorded_names().value_or(std::vector<std::string>{})) {
        const auto status = sys::fstatat(AT_FDCWD, run + "/" + name + "/record.json");
        signature +=
            fmt::format("{} {} {};", name, status ? status->st_ino : 0, status ? status->st_mtim.tv_nsec : 0);
    }
    return signature;
}

class Watch {
public:
    Watch(const Invocation& invocation, WatchOutputs outputs, audit::WatchEvents events, UniqueFd signals,
          milliseconds interval)
        : invocation_(&invocation),
          outputs_(std::move(outputs)),
          events_(std::move(events)),
          signals_(std::move(signals)),
          interval_(interval) {}

    Result<void> begin();
    Result<void> run();

private:
    enum class Woken : std::uint8_t { end, time, change };
    Woken wait();
    Result<void> look(Woken why);
    Result<void> follow_records();
    Result<report::Findings> audit();
    Result<void> audit_and_tell();
    Result<void> tell(const audit::ToldFindings::Turns& turns, const report::Findings& all, std::int64_t now);
    void save() const;

    const Invocation* invocation_;
    WatchOutputs outputs_;
    audit::WatchEvents events_;
    UniqueFd signals_;
    milliseconds interval_;
    milliseconds cost_{0};  // of the last look
    audit::ChangeWatch changes_{kept_programs()};
    audit::ToldFindings told_;
    std::string signature_;
    report::Findings last_;
    Clock::time_point next_look_, next_sweep_, next_show_;
};

Result<void> Watch::begin() {
    if (const auto text = sys::read_file(state_path())) {
        auto told = audit::ToldFindings::from_json(*text);
        if (told)
            told_ = *std::move(told);
        else
            cli::tell("guard:", "what an earlier watcher told could not be read, and is told again");
    }
    CHECK(follow_records());
    CHECK(audit_and_tell());
    if (!invocation_->has("quiet"))
        cli::tell("guard:",
                  fmt::format("watching {}, {} of this machine; a look every {}",
                              report::counted(last_.examined.size(), "container"),
                              report::counted(changes_.tasks(), "thread"), format_duration(interval_)));
    if (shows_progress(*invocation_))
        for (const auto& missing : events_.missing()) cli::tell("guard:", "without events: " + missing);
    return {};
}

// What is followed is looked at before the audit, so that nothing changes unseen between the two.
Result<void> Watch::follow_records() {
    signature_ = records_signature();
    const auto records = TRY(records_of(*invocation_, NotThere::is_fine));
    std::vector<const Record*> live;
    for (const auto& record : records.read)
        if (open_process(record.bindings.init)) live.push_back(&record);
    CHECK(changes_.follow(live));
    events_.follow(live);
    static_cast<void>(TRY(changes_.changed()));
    return {};
}

Result<report::Findings> Watch::audit() {
    return look_at(TRY(records_of(*invocation_, NotThere::is_fine)), *invocation_);
}

Result<void> Watch::tell(const audit::ToldFindings::Turns& turns, const report::Findings& all,
                         std::int64_t now) {
    for (const auto& finding : turns.begun)
        CHECK(outputs_.tell({report::Turn::begins, finding, now, now}, all));
    for (const auto& [finding, since] : turns.ended)
        CHECK(outputs_.tell({report::Turn::ends, finding, now, since}, all));
    return {};
}

// Lost with this boot, as the containers are. That it can't be written costs a telling twice, no more.
void Watch::save() const {
    static_cast<void>(sys::replace_file(state_path(), told_.to_json(), 0600, sys::Sync::no));
}

Result<void> Watch::audit_and_tell() {
    const auto begun = Clock::now();
    last_ = TRY(audit());
    const auto cost = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
    next_sweep_ = Clock::now() + std::max(kSweep, cost * kSweepShare);
    const auto now = static_cast<std::int64_t>(::time(nullptr));
    if (told_.differ(last_.findings)) {
        ::usleep(static_cast<useconds_t>(std::chrono::microseconds(kConfirm).count()));
        auto first = std::move(last_.findings);
        last_ = TRY(audit());
        const auto turns = told_.settle(first, last_.findings, now);
        CHECK(tell(turns, last_, now));
        if (!turns.begun.empty() || !turns.ended.empty()) save();
    }
    next_show_ = Clock::now() + kShowAgain;
    return outputs_.show(last_, now);
}

Watch::Woken Watch::wait() {
    constexpr std::size_t kOwn = 2;
    std::vector<pollfd> all{{signals_.get(), POLLIN, 0}, {outputs_.descriptor(), POLLIN, 0}};
    std::ranges::copy(events_.descriptors(), std::back_inserter(all));
    for (;;) {
        const auto left = std::chrono::duration_cast<milliseconds>(next_look_ - Clock::now());
        const auto ready = TEMP_FAILURE_RETRY(
            ::poll(all.data(), all.size(), static_cast<int>(std::max(left, milliseconds(0)).count())));
        if (ready <= 0) return Woken::time;
        if (all[0].revents != 0) return Woken::end;
        if (all[1].revents != 0) outputs_.serve();
        const auto told = events_.take(std::span(all).subspan(kOwn));
        const auto ours = [this](pid_t process) { return changes_.is_member(process); };
        if (told.changed || std::ranges::any_of(told.processes, ours)) return Woken::change;
    }
}

Result<void> Watch::look(Woken why) {
    if (why == Woken::change) ::usleep(static_cast<useconds_t>(std::chrono::microseconds(kGather).count()));
    bool changed = why == Woken::change;
    if (records_signature() != signature_) {
        changed = true;
        CHECK(follow_records());
    } else {
        const auto begun = Clock::now();
        changed = TRY(changes_.changed()) || changed;
        cost_ = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
    }
    if (changed || Clock::now() >= next_sweep_) return audit_and_tell();
    if (Clock::now() < next_show_) return {};
    next_show_ = Clock::now() + kShowAgain;
    return outputs_.show(last_, static_cast<std::int64_t>(::time(nullptr)));
}

Result<void> Watch::run() {
    for (;;) {
        next_look_ = Clock::now() + std::max(interval_, cost_ * kLookShare);
        const auto why = wait();
        if (why == Woken::end) return {};
        CHECK(look(why));
    }
}

Result<void> watch(const Invocation& invocation) {
    const auto interval = TRY(interval_of(invocation));
    auto signals = TRY(end_signals());
    auto outputs = TRY(WatchOutputs::open(invocation));
    CHECK(sys::make_directories(launcher::state_paths().run, 0700));
    auto events = TRY(audit::WatchEvents::open(launcher::state_paths().run));
    Watch watch(invocation, std::move(outputs), std::move(events), std::move(signals), interval);
    CHECK(watch.begin());
    return watch.run();
}

}  // namespace

int run_watch(const Invocation& invocation) {
    if (auto watched = watch(invocation); !watched) {
        complain(watched.error());
        return kUsage;
    }
    return kDone;
}

}  // namespace guard::cli
