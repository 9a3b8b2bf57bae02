#include "launcher/supervise.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/sys.h"
#include "base/units.h"
#include "launcher/log.h"
#include "launcher/memory.h"
#include "launcher/reaper.h"
#include "launcher/terminal.h"

namespace guard::launcher {
namespace {

using Clock = std::chrono::steady_clock;

// What a signal to the supervisor means.
enum class Meaning : std::uint8_t { stop, pass_on, window };
struct SignalRow {
    int signal;
    Meaning meaning;
};
constexpr auto kSignals = std::to_array<SignalRow>({
    {SIGTERM, Meaning::stop},
    {SIGINT, Meaning::stop},
    {SIGHUP, Meaning::stop},
    {SIGQUIT, Meaning::pass_on},
    {SIGUSR1, Meaning::pass_on},
    {SIGUSR2, Meaning::pass_on},
    {SIGWINCH, Meaning::window},
});

// One supervisor's state; lives as long as the call of supervise().
struct Watch {
    const LaunchPlan& plan;
    Running& running;
    NameLookup& names;
    bool attached;
    const Telling& telling;
    Log* log;
    std::optional<Clock::time_point> kill_at;
    // A command that ends at once is not made to wait for it.
    std::optional<Clock::time_point> small_at = Clock::now() + std::chrono::seconds(1);
};

// Output that nobody reads any more is no reason to end a server.
void show(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto put = TEMP_FAILURE_RETRY(::write(fd, bytes.data(), bytes.size()));
        if (put <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
}

// False when `from` has ended. A terminal whose other side is closed answers EIO.
bool take_output(Watch& watch, UniqueFd& from, int to) {
    if (!from) return false;
    const auto seen = [&](std::string_view bytes) {
        if (watch.attached) show(to, bytes);
    };
    const auto more = watch.log->take_from(from.get(), seen);
    if (more && *more) return true;
    from.reset();
    return false;
}

void take_input(Watch& watch) {
    std::array<char, 4096> bytes{};
    const auto got = TEMP_FAILURE_RETRY(::read(STDIN_FILENO, bytes.data(), bytes.size()));
    const int to = watch.running.terminal ? watch.running.terminal.get() : watch.running.input.get();
    if (got <= 0) {
        watch.attached = watch.attached && got != 0;
        return;
    }
    show(to, {bytes.data(), static_cast<std::size_t>(got)});
}

void kill_all(Watch& watch) {
    watch.kill_at.reset();
    static_cast<void>(sys::pidfd_send_signal(watch.running.init.get(), SIGKILL));
}

void begin_stop(Watch& watch, const signalfd_siginfo& info) {
    const auto& service = watch.plan.profile.service;
    if (watch.running.asked_to_stop) {
        if (info.ssi_signo == SIGINT) kill_all(watch);
        return;
    }
    watch.running.asked_to_stop = Clock::now();
    auto timeout = service.stop_timeout;
    if (info.ssi_signo == SIGTERM && info.ssi_code == SI_QUEUE && info.ssi_int > 0)
        timeout = std::chrono::milliseconds(info.ssi_int);
    watch.kill_at = Clock::now() + timeout;
    static_cast<void>(sys::pidfd_send_signal(watch.running.payload.get(), service.stop_signal));
    watch.telling.progress(fmt::format("asked it to save and stop (SIG{}); up to {}{}",
                                       ::sigabbrev_np(service.stop_signal), format_duration(timeout),
                                       watch.attached ? ", press Ctrl-C again to kill it" : ""));
}

void take_signal(Watch& watch) {
    signalfd_siginfo info{};
    if (::read(watch.running.signals.get(), &info, sizeof info) != sizeof info) return;
    for (const auto& row : kSignals) {
        if (row.signal != static_cast<int>(info.ssi_signo)) continue;
        if (row.meaning == Meaning::stop) begin_stop(watch, info);
        if (row.meaning == Meaning::pass_on)
            static_cast<void>(sys::pidfd_send_signal(watch.running.payload.get(), row.signal));
        if (row.meaning == Meaning::window && watch.running.terminal)
            copy_window_size(watch.running.terminal.get());
    }
}

int milliseconds_to_next(const Watch& watch) {
    auto next = Clock::time_point::max();
    if (watch.kill_at) next = std::min(next, *watch.kill_at);
    if (watch.small_at) next = std::min(next, *watch.small_at);
    if (const auto due = watch.names.due()) next = std::min(next, *due);
    if (next == Clock::time_point::max()) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - Clock::now()).count();
    return static_cast<int>(std::clamp<long>(left, 0, 3'600'000));
}

void do_what_is_due(Watch& watch) {
    if (watch.kill_at && Clock::now() >= *watch.kill_at) {
        watch.telling.notice("killed: it did not stop in time");
        kill_all(watch);
    }
    if (watch.small_at && Clock::now() >= *watch.small_at) {
        watch.small_at.reset();
        give_back_memory();
    }
    watch.names.do_what_is_due();
}

Result<int> how_it_ended(const Running& running) {
    Ended ended;
    const auto got = ::recv(running.sync.get(), &ended, sizeof ended, MSG_DONTWAIT);
    siginfo_t info{};
    ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(running.init.get()), &info, WEXITED | WNOHANG);
    if (got == sizeof ended)
        return WIFSIGNALED(ended.status) ? 128 + WTERMSIG(ended.status) : WEXITSTATUS(ended.status);
    return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

void drain(Watch& watch) {
    while (take_output(watch, watch.running.terminal, STDOUT_FILENO)) {
        pollfd more{watch.running.terminal.get(), POLLIN, 0};
        if (::poll(&more, 1, 0) != 1) break;
    }
    for (auto* pipe : {&watch.running.out, &watch.running.err})
        for (;;) {
            pollfd more{pipe->get(), POLLIN, 0};
            if (!*pipe || ::poll(&more, 1, 0) != 1 ||
                !take_output(watch, *pipe, pipe == &watch.running.out ? 1 : 2))
                break;
        }
}

}  // namespace

HeldSignals::HeldSignals() {
    sigemptyset(&signals_);
    for (const auto& row : kSignals) sigaddset(&signals_, row.signal);
    sigaddset(&signals_, SIGPIPE);
    ::sigprocmask(SIG_BLOCK, &signals_, &before_);
}

HeldSignals::~HeldSignals() {
    // A pipe that nobody reads raised it while we wrote: not the caller's to be ended by.
    const timespec now{};
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::sigtimedwait(&pipe, nullptr, &now);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Result<UniqueFd> HeldSignals::open() const {
    auto taken = signals_;
    sigdelset(&taken, SIGPIPE);
    UniqueFd fd(::signalfd(-1, &taken, SFD_CLOEXEC));
    if (!fd) return fail_errno("listen for signals", errno);
    return fd;
}

Result<int> supervise(const LaunchPlan& plan, Running& running, NameLookup& names, bool attached,
                      const Telling& telling) {
    auto log = TRY(Log::open(plan.log, plan.profile.service.log_size, plan.profile.service.log_keep));
    Watch watch{plan, running, names, attached, telling, &log, {}};
    const CallerTerminal caller(attached && plan.interactive && running.terminal);
    if (running.terminal && attached) copy_window_size(running.terminal.get());
    if (running.terminal && !plan.interactive) pass_line_ends(running.terminal.get());
    for (;;) {
        const bool input = watch.attached && plan.interactive && (running.terminal || running.input);
        std::array<pollfd, 7> ready{{{running.init.get(), POLLIN, 0},
                                     {running.signals.get(), POLLIN, 0},
                                     {running.out.get(), POLLIN, 0},
                                     {running.err.get(), POLLIN, 0},
                                     {running.terminal.get(), POLLIN, 0},
                                     {input ? STDIN_FILENO : -1, POLLIN, 0},
                                     {names.fd(), POLLIN, 0}}};
        if (::poll(ready.data(), ready.size(), milliseconds_to_next(watch)) < 0 && errno != EINTR)
            return fail_errno("watch the container", errno);
        if (ready[1].revents != 0) take_signal(watch);
        if (ready[2].revents != 0) take_output(watch, running.out, STDOUT_FILENO);
        if (ready[3].revents != 0) take_output(watch, running.err, STDERR_FILENO);
        if (ready[4].revents != 0) take_output(watch, running.terminal, STDOUT_FILENO);
        if (ready[5].revents != 0) take_input(watch);
        if (ready[6].revents != 0)
            for (const auto& line : names.take()) telling.notice(line);
        if (ready[0].revents != 0) break;
        do_what_is_due(watch);
    }
    drain(watch);
    return how_it_ended(running);
}

}  // namespace guard::launcher
