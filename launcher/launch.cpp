#include "launcher/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>

#include "base/sys.h"
#include "launcher/bindings.h"
#include "launcher/child.h"
#include "launcher/detach.h"
#include "launcher/end_words.h"
#include "launcher/host_facts.h"
#include "launcher/name_lookup.h"
#include "launcher/outside.h"
#include "launcher/reaper.h"
#include "launcher/start_file.h"
#include "launcher/start_words.h"
#include "launcher/state.h"
#include "launcher/supervise.h"
#include "posture/filter/name.h"

namespace guard::launcher {
namespace {

template <class T>
using Launched = std::expected<T, LaunchError>;

constexpr int kCannot = 125, kNotFound = 127;

std::unexpected<LaunchError> refused(Error error, int status = kCannot) {
    return std::unexpected(LaunchError{std::move(error), status});
}

// Where this process keeps its arguments and environment: PID 1, a copy of it, wipes them.
// proc_pid_stat(5) fields 48 to 51
std::span<char> own_arguments() {
    const auto text = sys::read_file("/proc/self/stat").value_or("");
    auto at = text.rfind(')');
    constexpr int kArgStart = 48, kEnvEnd = 51, kAfterCommand = 3;
    std::uintptr_t start = 0, end = 0;
    for (int field = kAfterCommand; at != std::string::npos && field <= kEnvEnd; ++field) {
        at = text.find(' ', at) + 1;
        const auto* const last = text.data() + text.size();
        if (field == kArgStart) std::from_chars(text.data() + at, last, start);
        if (field == kEnvEnd) std::from_chars(text.data() + at, last, end);
    }
    if (start == 0 || end <= start) return {};
    return {reinterpret_cast<char*>(start), end - start};  // NOLINT(performance-no-int-to-ptr): as told
}

Result<std::pair<UniqueFd, UniqueFd>> make_pipe(int flags = 0) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | flags) < 0) return fail_errno("make a pipe", errno);
    return std::pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// What the child is given, and what this side keeps of it.
struct Channels {
    UniqueFd report, child_report, sync, child_sync, null;
    UniqueFd child_stdio[3];
};

Result<Channels> open_channels(const LaunchPlan& plan, Running& running) {
    Channels channels;
    std::tie(channels.report, channels.child_report) = TRY(make_pipe());
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return fail_errno("make a socket to the child", errno);
    channels.sync.reset(ends[0]);
    channels.child_sync.reset(ends[1]);
    channels.null = TRY(sys::open("/dev/null", O_RDWR));
    if (plan.stdio == Stdio::pipes) {
        std::tie(running.out, channels.child_stdio[1]) = TRY(make_pipe());
        std::tie(running.err, channels.child_stdio[2]) = TRY(make_pipe());
    }
    if (!plan.interactive)
        channels.child_stdio[0] = TRY(sys::open("/dev/null", O_RDONLY));
    else if (plan.stdio == Stdio::pipes)
        std::tie(channels.child_stdio[0], running.input) = TRY(make_pipe());
    return channels;
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (const auto& text : texts)
        pointers.push_back(const_cast<char*>(text.c_str()));  // execve(2) only reads
    pointers.push_back(nullptr);
    return pointers;
}

std::vector<int> numbers_of(const std::vector<UniqueFd>& fds) {
    std::vector<int> numbers;
    numbers.reserve(fds.size());
    for (const auto& fd : fds) numbers.push_back(fd.get());
    return numbers;
}

struct Child {
    pid_t pid = 0;
    UniqueFd pidfd;
};

Result<Child> clone_child(const LaunchPlan& plan, ChildInput& input, const UniqueFd& cgroup_leaf) {
    const auto argv = pointers_to(plan.command), envp = pointers_to(plan.environment);
    input.argv = argv.data();
    input.envp = envp.data();
    input.arguments = own_arguments();
    int pidfd = -1;
    clone_args arguments{};
    // The time namespace counts from a fork of the child's own; on v1 it enters its cgroups first.
    arguments.flags = (plan.namespaces & ~static_cast<std::uint64_t>(CLONE_NEWTIME)) | CLONE_PIDFD;
    if (!plan.cgroup.unified) arguments.flags &= ~static_cast<std::uint64_t>(CLONE_NEWCGROUP);
    if (cgroup_leaf) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<std::uint64_t>(cgroup_leaf.get());
    }
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    const auto pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid < 0)
        return fail_errno("make the namespaces of container " + plan.name, errno,
                          errno == ENOSPC  ? "sysctl user.max_user_namespaces, pid and others: one is 0"
                          : errno == EPERM ? "run guard as root"
                                           : "");
    if (pid == 0) run_child(input);
    return Child{static_cast<pid_t>(pid), UniqueFd(pidfd)};
}

Result<void> send_byte(const UniqueFd& socket, char byte) {
    if (TEMP_FAILURE_RETRY(::send(socket.get(), &byte, 1, MSG_NOSIGNAL)) == 1) return {};
    return fail_errno("speak to the child", errno);
}

// A byte with a descriptor; the byte is 0 where the child has ended.
struct Heard {
    char what = 0;
    UniqueFd fd;
};
Heard hear(const UniqueFd& socket) {
    Heard heard;
    iovec data{&heard.what, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (TEMP_FAILURE_RETRY(::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC)) <= 0) return {};
    if (const auto* header = CMSG_FIRSTHDR(&message); header != nullptr && header->cmsg_type == SCM_RIGHTS) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
        heard.fd.reset(fd);
    }
    return heard;
}

// Why the child ended: what it wrote, or that it could not even write.
LaunchError failure_of(const LaunchPlan& plan, const UniqueFd& report) {
    StepFailure failure;
    const auto got = TEMP_FAILURE_RETRY(::read(report.get(), &failure, sizeof failure));
    if (got != sizeof failure)
        return {{"set up container " + plan.name, "its first process ended early", 0, ""}, 125};
    Error error{fmt::format("{} (container {})", describe_step(failure, plan), plan.name), "", failure.error,
                ""};
    const int status = status_of(failure);
    if (status == 127) {
        error.code = 0;
        error.reason = "there is no such program in the container";
        error.fix = "give its path inside; the root shows /usr of this machine and what is mounted";
    }
    if (failure.error == ELIBBAD && status == 126) {
        error.code = 0;
        error.reason = "its interpreter (first line after #!, or the loader) is not in the container";
    }
    return {std::move(error), status};
}

Launched<void> await_payload(const LaunchPlan& plan, const Channels& channels, Running& running) {
    while (!running.payload) {
        auto heard = hear(channels.sync);
        if (heard.what == kTerminal)
            running.terminal = std::move(heard.fd);
        else if (heard.what == kPayload)
            running.payload = std::move(heard.fd);
        else
            return std::unexpected(failure_of(plan, channels.report));
    }
    return {};
}

// End of file: the command runs, for exec closed the last writer.
Launched<void> await_exec(const LaunchPlan& plan, const Channels& channels) {
    pollfd ready{channels.report.get(), POLLIN, 0};
    TEMP_FAILURE_RETRY(::poll(&ready, 1, -1));
    if ((ready.revents & POLLIN) != 0) return std::unexpected(failure_of(plan, channels.report));
    return {};
}

Result<void> connect(const LaunchPlan& plan, pid_t child) {
    if (plan.network.mode != NetworkMode::bridge) return {};
    const auto netns = TRY(sys::open(fmt::format("/proc/{}/ns/net", child), O_RDONLY));
    return make_network(plan.network, netns.get());
}

// Everything up to a command that runs. What fails here is undone by whoever holds the record.
Launched<void> start(const LaunchPlan& plan, Record& record, Running& running) {
    const auto check = [](Result<void> done) -> Launched<void> {
        if (!done) return refused(done.error());
        return {};
    };
#define STEP(expression) \
    if (auto step_ = (expression); !step_) return std::unexpected(std::move(step_).error())
    STEP(check(make_sources(plan)));
    if (plan.make_data)  // by now, and it is empty
        if (auto there =
                check_start_file(plan, [&](const auto& path) { return path.starts_with(plan.data + "/"); });
            !there)
            return refused(there.error(), kNotFound);
    auto doors = make_cgroup(plan.cgroup);
    if (!doors) return refused(doors.error());
    auto mounts = open_mounts(plan);
    if (!mounts) return refused(mounts.error());
    auto channels = open_channels(plan, running);
    if (!channels) return refused(channels.error());
    const auto mount_fds = numbers_of(*mounts), task_fds = numbers_of(doors->tasks);
    ChildInput input{.plan = &plan, .mounts = mount_fds, .tasks = task_fds};
    input.sync = channels->child_sync.get();
    input.supervisor = channels->sync.get();
    input.report = channels->child_report.get();
    input.null = channels->null.get();
    for (int fd = 0; fd < 3; ++fd) input.stdio[fd] = channels->child_stdio[fd].get();
    auto child = clone_child(plan, input, doors->leaf);
    if (!child) return refused(child.error());
    running.init = std::move(child->pidfd);
    mounts->clear();
    doors->tasks.clear();
    channels->child_report.reset();
    channels->child_sync.reset();
    for (auto& fd : channels->child_stdio) fd.reset();
    STEP(check(prepare_child(plan, child->pid)));
    STEP(check(send_byte(channels->sync, kMapsAreReady)));
    STEP(check(connect(plan, child->pid)));
    STEP(await_payload(plan, *channels, running));
    STEP(check(bind_record(record, plan, child->pid, running.payload.get())));
    STEP(check(save_record(record)));
    STEP(check(send_byte(channels->sync, kRun)));
    STEP(await_exec(plan, *channels));
#undef STEP
    running.sync = std::move(channels->sync);
    return {};
}

void end_child(const Running& running) {
    if (!running.init) return;
    static_cast<void>(sys::pidfd_send_signal(running.init.get(), SIGKILL));
    siginfo_t info{};
    ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(running.init.get()), &info, WEXITED);
}

using Clock = std::chrono::steady_clock;

// What there is to say at the end; read before the cgroup is gone.
End end_of(const LaunchPlan& plan, const Running& running, Clock::time_point began, int status) {
    const auto now = Clock::now();
    End end{.status = status, .up = std::chrono::floor<std::chrono::seconds>(now - began)};
    if (running.asked_to_stop)
        end.stopping = std::chrono::ceil<std::chrono::milliseconds>(now - *running.asked_to_stop);
    end.usage = read_usage(plan.cgroup.leaves);
    const auto path = plan.cgroup.paths.find(plan.cgroup.unified ? "" : "memory");
    if (end.usage.oom_kills.value_or(0) > 0 && path != plan.cgroup.paths.end())
        end.victim = victim_in(kernel_log(), path->second);
    return end;
}

// What PID 1 left: nothing, unless a limit was hit while it ended.
Launched<int> finish(const LaunchPlan& plan, const Record& record, Result<int> ended,
                     const std::optional<End>& end, const Telling& telling) {
    if (end) {
        for (const auto& line : memory_lines(plan, *end)) telling.notice(line);
        telling.progress(end_line(plan, *end));
    }
    if (auto cleaned = clean_up(record); !cleaned) telling.notice(describe(cleaned.error()));
    if (!ended) return refused(ended.error());
    return *ended;
}

void tell_of_start(const LaunchPlan& plan, std::chrono::nanoseconds took, const Telling& telling) {
    for (const auto& notice : plan.notices) telling.notice(notice);
    telling.progress(started_line(plan, took));
    if (plan.network.publish.empty()) return;
    for (const auto& line : reach_lines(plan.network, home_address(plan.network))) telling.progress(line);
}

Launched<int> run(const LaunchPlan& plan, const Telling& telling, bool attached,
                  const std::function<void()>& started) {
    const auto began = Clock::now();
    ::prctl(PR_SET_DUMPABLE, 0);  // nobody of the same user reads this process, or its child
    const HeldSignals held;
    Running running;
    auto signals = held.open();
    if (!signals) return refused(signals.error());
    running.signals = std::move(*signals);
    auto claim = claim_name(plan.name);
    if (!claim) return refused(claim.error());
    auto record = record_of(plan);
    if (!record) return refused(record.error());
    if (auto saved = save_record(*record); !saved) {
        static_cast<void>(clean_up(*record));
        return refused(saved.error());
    }
    NameLookup names(plan.network);
    names.start();  // beside the set-up; what is answered by its end is let through at once
    if (auto ready = start(plan, *record, running); !ready) {
        end_child(running);
        if (auto cleaned = clean_up(*record); !cleaned) telling.notice(describe(cleaned.error()));
        return std::unexpected(std::move(ready).error());
    }
    tell_of_start(plan, Clock::now() - began, telling);
    if (started) started();
    auto ended = supervise(plan, running, names, attached, telling);
    if (!ended) end_child(running);
    std::optional<End> end;
    if (ended) end = end_of(plan, running, began, *ended);
    return finish(plan, *record, std::move(ended), end, telling);
}

// A directory would lead out of the container, and a disk past every file mode. CVE-2024-21626
Result<void> check_stdio() {
    for (int fd = 0; fd < 3; ++fd) {
        struct stat status{};
        if (::fstat(fd, &status) < 0) {
            // A closed one would be the next file opened here.
            const int null = ::open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
            if (null != fd) return fail(fmt::format("use descriptor {}", fd), "it cannot be opened");
            continue;
        }
        if (S_ISDIR(status.st_mode) || S_ISBLK(status.st_mode))
            return fail(fmt::format("use descriptor {} of the caller", fd),
                        S_ISDIR(status.st_mode) ? "it is a directory" : "it is a disk",
                        "redirect it to a file");
    }
    return {};
}

}  // namespace

Result<LaunchPlan> plan_launch(const Request& request) {
    CHECK(check_name(request.name));
    if (::getauxval(AT_SECURE) != 0)
        return fail("launch", "guard is set-user-id here", "chmod u-s it; use sudo");
    const auto& profile = request.profile;
    auto cgroup = TRY(plan_cgroup(profile.posture, profile.service.optional, request.name));
    auto network = TRY(plan_network(profile, request.name));
    auto host = TRY(look_at_host(profile, request.name, request.command));
    if (request.detach) host.terminal = false;
    auto plan =
        TRY(plan_from(profile, request.name, request.command, host, std::move(cgroup), std::move(network)));
    plan.filter = request.filter;
    plan.reaper_filter = request.reaper_filter;
    plan.expected.seccomp.content = Named<Lock>{{filter_name(plan.filter), Lock::held}};
    plan.reaper.seccomp.content = Named<Lock>{{filter_name(plan.reaper_filter), Lock::held}};
    plan.log = fmt::format("{}/{}.log", state_paths().log, request.name);
    return plan;
}

std::expected<int, LaunchError> launch(const Request& request) {
    auto telling = request.telling;
    for (auto* line : {&telling.notice, &telling.progress})
        if (!*line) *line = [](const std::string&) {};
    if (request.filter.empty() || request.reaper_filter.empty())
        return refused({"launch " + request.name, "it has no system call filter", 0, ""});
    if (auto checked = check_stdio(); !checked) return refused(checked.error());
    clean_up_dead();
    const auto plan = plan_launch(request);
    if (!plan) {
        const bool nothing_to_start =
            plan.error().code == ENOENT && plan.error().attempt.starts_with("start ");
        return refused(plan.error(), nothing_to_start ? kNotFound : kCannot);
    }
    if (!request.detach) return run(*plan, telling, true, {});
    return in_background(
        [&](const std::function<void()>& started) { return run(*plan, telling, false, started); });
}

}  // namespace guard::launcher
