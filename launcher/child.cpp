#include "launcher/child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <string_view>

#include "launcher/child_mounts.h"
#include "launcher/memory.h"
#include "launcher/reaper.h"
#include "posture/network_settings.h"

#ifndef MS_PRIVATE
#include <linux/mount.h>
#endif

namespace guard::launcher {
namespace {

constexpr std::uint64_t kOnFiles = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                                   LANDLOCK_ACCESS_FS_READ_FILE | (1ULL << 14U) | (1ULL << 15U);
constexpr unsigned long kHighestCapability = 63;

// What the steps share; lives on the child's stack.
struct Child {
    const ChildInput& in;
    const LaunchPlan& plan;
    ChildTree tree;
    std::uint32_t index = 0;
    bool not_found = false;
};

struct StepRow {
    const char* attempt;
    int (*run)(Child&) noexcept;  // 0 or errno
};

int result(long value) noexcept { return value < 0 ? errno : 0; }

int put(const char* path, const char* text, std::size_t size) noexcept {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return errno;
    const int error = ::write(fd, text, size) < 0 ? errno : 0;
    ::close(fd);
    return error;
}

int send_descriptor(int socket, char what, int fd) noexcept {
    iovec data{&what, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    auto* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return result(::sendmsg(socket, &message, MSG_NOSIGNAL));
}

int await(int socket, char expected) noexcept {
    char got = 0;
    const auto size = TEMP_FAILURE_RETRY(::recv(socket, &got, 1, 0));
    if (size < 0) return errno;
    return size == 1 && got == expected ? 0 : ECANCELED;  // the supervisor has gone, or gave up
}

// Ends with the supervisor. The signal is taken back by every change of identity, so it is asked for again
// after the last one; one that died in between has closed its end of the socket. PR_SET_PDEATHSIG(2const)
int die_with_supervisor(Child& child) noexcept {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return errno;
    pollfd socket{child.in.sync, 0, 0};
    if (::poll(&socket, 1, 0) < 0) return errno;
    return (socket.revents & POLLHUP) != 0 ? ECANCELED : 0;
}

int wait_for_maps(Child& child) noexcept {
    ::close(child.in.supervisor);
    if (const int error = die_with_supervisor(child); error != 0) return error;
    return await(child.in.sync, kMapsAreReady);
}

// By descriptors that the host opened: the kernel asks whether whoever opened them may. cgroups(7)
int enter_cgroups(Child& child) noexcept {
    for (const int tasks : child.in.tasks)
        if (::write(tasks, &CgroupDoors::kItself, 1) < 0) return errno;
    return 0;
}

// Only now is it in its cgroups, so only now does a new cgroup namespace begin there. On v2 clone3 did both.
int own_cgroup_view(Child& child) noexcept {
    if (child.plan.cgroup.unified || (child.plan.namespaces & CLONE_NEWCGROUP) == 0) return 0;
    return result(::unshare(CLONE_NEWCGROUP));
}

// These count for the own namespaces, and only somebody whom they do not know yet may write them.
int set_own_sysctls(Child& child) noexcept {
    if (child.plan.own_users)
        if (const int error = put("/proc/sys/user/max_user_namespaces", "0", 1); error != 0) return error;
    return child.plan.memfd_noexec ? put("/proc/sys/vm/memfd_noexec", "2", 1) : 0;
}

// A new network namespace has this machine's value for some of them: guard's own forwarding, for one.
int close_own_network(Child& child) noexcept {
    if ((child.plan.namespaces & CLONE_NEWNET) == 0) return 0;
    for (std::size_t at = 0; at < kNetworkSettings.size(); ++at) {
        child.index = static_cast<std::uint32_t>(at);
        const auto& row = kNetworkSettings[at];
        const int error = put(row.file, row.value.data(), row.value.size());
        if (error != 0 && error != ENOENT) return error;  // a kernel without IPv6 has none of its files
    }
    return 0;
}

// A shared tree would carry our mounts back to the host. mount_namespaces(7)
int make_mounts_private(Child&) noexcept {
    constexpr unsigned long kRecursivePrivate = 16384UL | (1UL << 18U);
    return result(::syscall(SYS_mount, nullptr, "/", nullptr, kRecursivePrivate, nullptr));
}

// Before the first file is made: an id that the new user namespace does not know cannot own one (EOVERFLOW).
int become_inside_root(Child&) noexcept {
    if (::syscall(SYS_setgroups, 0, nullptr) < 0) return errno;
    if (::syscall(SYS_setresgid, 0, 0, 0) < 0) return errno;
    if (::syscall(SYS_setresuid, 0, 0, 0) < 0) return errno;
    return result(::prctl(PR_SET_DUMPABLE, 0));
}

int set_hostname(Child& child) noexcept {
    if ((child.plan.namespaces & CLONE_NEWUTS) == 0) return 0;
    return result(::sethostname(child.plan.hostname.data(), child.plan.hostname.size()));
}

int bring_up_loopback(Child& child) noexcept {
    if ((child.plan.namespaces & CLONE_NEWNET) == 0) return 0;
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return errno;
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    const int error = result(::ioctl(socket, SIOCSIFFLAGS, &request));
    ::close(socket);
    return error;
}

int make_file_tree(Child& child) noexcept {
    const int error = make_tree(child.in, child.tree);
    child.index = child.tree.index;
    return error;
}

// A terminal of the container's own: the caller's would take keystrokes from inside (TIOCSTI), and a path to
// it could be anything.
int open_terminal(Child& child) noexcept {
    if (child.plan.stdio != Stdio::terminal) return 0;
    const int master = ::openat(child.tree.terminals, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0) return errno;
    int unlock = 0;
    if (::ioctl(master, TIOCSPTLCK, &unlock) < 0) return errno;
    const int slave = ::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0) return errno;
    if (::fchown(slave, child.plan.payload.uid, static_cast<gid_t>(-1)) < 0) return errno;
    if (const int error = send_descriptor(child.in.sync, kTerminal, master); error != 0) return error;
    ::close(master);
    auto& stdio = const_cast<ChildInput&>(child.in).stdio;
    for (int& fd : stdio)
        if (fd < 0) fd = slave;
    return 0;
}

int close_file_tree(Child& child) noexcept { return close_tree(child.tree); }
int enter_file_tree(Child& child) noexcept { return enter_tree(child.tree); }

// Only what is forked from here on lives by the new clocks. time_namespaces(7)
// The file belongs to the host's root while this process is not dumpable; nobody else is inside yet.
int set_clocks(Child& child) noexcept {
    const auto& offsets = child.plan.time_offsets;
    if (offsets.empty()) return 0;
    if (::unshare(CLONE_NEWTIME) < 0) return errno;
    if (::prctl(PR_SET_DUMPABLE, 1) < 0) return errno;
    const int error = put("/proc/self/timens_offsets", offsets.data(), offsets.size());
    return ::prctl(PR_SET_DUMPABLE, 0) < 0 ? errno : error;
}

int join_own_keyring(Child&) noexcept {
    if (::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr) >= 0) return 0;
    return errno == ENOSYS ? 0 : errno;  // a kernel without keys has none to hide
}

int forbid_new_privileges(Child&) noexcept { return result(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }

int add_path_rule(int ruleset, const LandlockRule& rule) noexcept {
    landlock_path_beneath_attr beneath{};
    beneath.allowed_access = rule.access;
    beneath.parent_fd = ::open(rule.place.c_str(), O_PATH | O_CLOEXEC);
    if (beneath.parent_fd < 0) return errno;
    auto added = ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    if (added < 0 && errno == EINVAL) {  // a file takes no rights of directories
        beneath.allowed_access &= kOnFiles;
        added = beneath.allowed_access == 0
                    ? 0
                    : ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    }
    const int error = result(added);
    ::close(beneath.parent_fd);
    return error;
}

int hold_file_rules(Child& child) noexcept {
    const auto& landlock = child.plan.landlock;
    if (!landlock.enabled) return 0;
    const std::uint64_t attribute[3]{landlock.files, landlock.network, landlock.scoped};
    const int ruleset =
        static_cast<int>(::syscall(SYS_landlock_create_ruleset, attribute, landlock.attribute_size, 0));
    if (ruleset < 0) return errno;
    int error = 0;
    for (std::size_t at = 0; error == 0 && at < landlock.rules.size(); ++at) {
        child.index = static_cast<std::uint32_t>(at);
        error = add_path_rule(ruleset, landlock.rules[at]);
    }
    for (std::size_t at = 0; error == 0 && at < landlock.bind_ports.size(); ++at) {
        constexpr int kNetPortRule = 2;
        const std::uint64_t port_rule[2]{1, landlock.bind_ports[at]};
        error = result(::syscall(SYS_landlock_add_rule, ruleset, kNetPortRule, port_rule, 0));
    }
    if (error == 0) error = result(::syscall(SYS_landlock_restrict_self, ruleset, 0));
    ::close(ruleset);
    return error;
}

int set_rlimits(Child& child) noexcept {
    for (std::size_t at = 0; at < child.plan.rlimits.size(); ++at) {
        child.index = static_cast<std::uint32_t>(at);
        const auto& limit = child.plan.rlimits[at];
        if (limit && ::syscall(SYS_prlimit64, 0, at, &*limit, nullptr) < 0) return errno;
    }
    return 0;
}

int set_capabilities(std::uint64_t effective, std::uint64_t permitted, std::uint64_t inheritable) noexcept {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const auto low = [](std::uint64_t mask) { return static_cast<std::uint32_t>(mask); };
    const auto high = [](std::uint64_t mask) { return static_cast<std::uint32_t>(mask >> 32U); };
    __user_cap_data_struct data[2]{{low(effective), low(permitted), low(inheritable)},
                                   {high(effective), high(permitted), high(inheritable)}};
    return result(::syscall(SYS_capset, &header, data));
}

// The order is forced: bounding needs CAP_SETPCAP; a change of user drops the effective set; ambient must be
// raised before its lock; the locks need CAP_SETPCAP once more; then it goes too. capabilities(7)
int take_identity(Child& child, const Credentials& who) noexcept {
    for (unsigned long number = 0; number <= kHighestCapability; ++number) {
        child.index = static_cast<std::uint32_t>(number);
        if (((who.bounding >> number) & 1U) == 0 && ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0) {
            if (errno != EINVAL) return errno;
            break;  // past the last one that this kernel knows
        }
    }
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) return errno;
    if (::syscall(SYS_setgroups, who.groups.size(), who.groups.data()) < 0) return errno;
    if (::syscall(SYS_setresgid, who.gid, who.gid, who.gid) < 0) return errno;
    if (::syscall(SYS_setresuid, who.uid, who.uid, who.uid) < 0) return errno;
    constexpr std::uint64_t kSetPcap = 1ULL << CAP_SETPCAP;
    if (const int error =
            set_capabilities(who.permitted | kSetPcap, who.permitted | kSetPcap, who.inheritable);
        error != 0)
        return error;
    for (std::uint64_t rest = who.ambient; rest != 0; rest &= rest - 1)
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, std::countr_zero(rest), 0, 0) < 0) return errno;
    if (::prctl(PR_SET_SECUREBITS, who.securebits, 0, 0, 0) < 0) return errno;
    if (const int error = set_capabilities(who.effective, who.permitted, who.inheritable); error != 0)
        return error;
    return result(::prctl(PR_SET_DUMPABLE, 0));
}

int load_filter(std::string_view program, bool log) noexcept {
    sock_fprog filter{};
    filter.len = static_cast<unsigned short>(program.size() / sizeof(sock_filter));
    // The kernel copies the program; it only reads what it is given.
    filter.filter = reinterpret_cast<sock_filter*>(const_cast<char*>(program.data()));
    return result(
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, log ? SECCOMP_FILTER_FLAG_LOG : 0, &filter));
}

[[noreturn]] void report(const Child& child, std::uint32_t step, int error) noexcept {
    const StepFailure failure{step, child.index, error};
    [[maybe_unused]] const auto told = ::write(child.in.report, &failure, sizeof failure);
    ::_exit(125);
}

// --- PID 1, from the fork on ---------------------------------------------------------------------------

int wipe_arguments(Child& child) noexcept {
    std::memset(child.in.arguments.data(), 0, child.in.arguments.size());
    return result(::prctl(PR_SET_NAME, "guard-init", 0, 0, 0));
}

int keep_only_socket(Child& child) noexcept {
    for (int fd = 0; fd < 3; ++fd)
        if (::dup2(child.in.null, fd) < 0) return errno;
    if (child.in.sync != 3 && ::dup2(child.in.sync, 3) < 0) return errno;
    return result(::syscall(SYS_close_range, 4U, ~0U, 0U));
}

int take_init_identity(Child& child) noexcept { return take_identity(child, child.plan.init); }

int start_session(Child&) noexcept { return result(::setsid()); }

// The filter allows no more than waiting, so that the heap goes before; what is loaded is on the stack by
// then.
int load_init_filter(Child& child) noexcept {
    constexpr std::size_t kRoom = 1024;
    alignas(sock_filter) char filter[kRoom];
    const std::string_view bytes = child.plan.reaper_filter;
    if (bytes.size() > sizeof filter) return E2BIG;
    std::memcpy(filter, bytes.data(), bytes.size());
    leave_heap();
    return load_filter({filter, bytes.size()}, false);
}

int set_umask(Child& child) noexcept {
    ::umask(static_cast<mode_t>(child.plan.umask));
    return result(::personality(child.plan.personality));  // also 0: the caller may be run by setarch(8)
}

constexpr auto kInitSteps = std::to_array<StepRow>({
    {"wipe the arguments of PID 1", wipe_arguments},
    {"leave the caller's terminal", start_session},
    {"set the umask and personality of PID 1", set_umask},
    {"set the rlimits of PID 1", set_rlimits},
    {"take the rights of PID 1 away", take_init_identity},
    {"end PID 1 with its supervisor", die_with_supervisor},
});

// The rest cannot be told any more: the pipe for reports has to be closed before the command runs, or nobody
// would see that it does. A PID 1 that could not finish ends, and the command with it.
[[noreturn]] void become_init(Child& child, pid_t payload, std::uint32_t first_step) noexcept {
    for (std::size_t at = 0; at < kInitSteps.size(); ++at)
        if (const int error = kInitSteps[at].run(child); error != 0)
            report(child, first_step + static_cast<std::uint32_t>(at), error);
    if (keep_only_socket(child) != 0 || load_init_filter(child) != 0) ::_exit(125);
    reap(payload, 3);
}

// --- the command, from the fork on ------------------------------------------------------------------------

int fork_command(Child& child) noexcept;

int take_stdio(Child& child) noexcept {
    const bool terminal = child.plan.stdio == Stdio::terminal;
    if (terminal && ::ioctl(child.in.stdio[1], TIOCSCTTY, 0) < 0) return errno;
    for (int fd = 0; fd < 3; ++fd)
        if (::dup2(child.in.stdio[fd], fd) < 0) return errno;
    return 0;
}

int take_payload_identity(Child& child) noexcept { return take_identity(child, child.plan.payload); }

int enter_workdir(Child& child) noexcept {
    if (::chdir(child.plan.workdir.c_str()) < 0) return errno;
    char path[PATH_MAX];
    if (::syscall(SYS_getcwd, path, sizeof path) < 0) return errno;
    return path[0] == '/' ? 0 : EXDEV;  // "(unreachable)": outside of the root
}

// Further settings of the caller's that pass through fork and exec. They grant nothing, but a container
// should behave the same whoever starts it. PR_SET_THP_DISABLE(2const), PR_SET_TIMERSLACK(2const),
// set_mempolicy(2)
int forget_callers_tuning(Child&) noexcept {
    constexpr unsigned long kDefaultSlackNs = 50'000;
    if (::prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0) < 0) return errno;
    if (::prctl(PR_SET_TIMERSLACK, kDefaultSlackNs, 0, 0, 0) < 0) return errno;
    constexpr int kDefaultPolicy = 0;
    if (::syscall(SYS_set_mempolicy, kDefaultPolicy, nullptr, 0) < 0 && errno != ENOSYS) return errno;
    return 0;
}

// The caller may have blocked or ignored signals; both would pass through exec. Nothing may reach the command
// before it runs, so this is late.
int reset_signals(Child&) noexcept {
    for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    return result(::sigprocmask(SIG_SETMASK, &none, nullptr));
}

int keep_only_stdio(Child&) noexcept {
    constexpr unsigned kCloseOnExec = 1U << 2U;
    return result(::syscall(SYS_close_range, 3U, ~0U, kCloseOnExec));
}

int wait_for_record(Child& child) noexcept { return await(child.in.sync, kRun); }

int load_payload_filter(Child& child) noexcept {
    return load_filter(child.plan.filter, child.plan.log_denied);
}

int execute(Child& child) noexcept {
    int error = ENOENT;
    for (std::size_t at = 0; at < child.plan.programs.size(); ++at) {
        child.index = static_cast<std::uint32_t>(at);
        const char* const program = child.plan.programs[at].c_str();
        ::execve(program, child.in.argv, child.in.envp);
        if (errno == EACCES) error = EACCES;
        if (errno == ENOENT && ::access(program, F_OK) == 0) return ELIBBAD;  // its interpreter is missing
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) return errno;
    }
    return error;
}

constexpr auto kSteps = std::to_array<StepRow>({
    {"wait for the id maps", wait_for_maps},
    {"enter the own cgroups", enter_cgroups},
    {"make an own cgroup namespace", own_cgroup_view},
    {"close the own namespaces to new ones", set_own_sysctls},
    {"close the own network to forwarding", close_own_network},
    {"make the mounts private", make_mounts_private},
    {"become root of the own users", become_inside_root},
    {"set the host name", set_hostname},
    {"bring up the loopback interface", bring_up_loopback},
    {"mount", make_file_tree},
    {"open a terminal", open_terminal},
    {"make the root read-only", close_file_tree},
    {"enter the new root", enter_file_tree},
    {"set the clocks", set_clocks},
    {"join an own keyring", join_own_keyring},
    {"forbid new privileges", forbid_new_privileges},
    {"hold the file rules (Landlock) at", hold_file_rules},
    {"fork the command", fork_command},
    {"start a session", start_session},
    {"take descriptors 0 to 2", take_stdio},
    {"set the rlimit", set_rlimits},
    {"take the rights of the command away", take_payload_identity},
    {"set the umask and personality", set_umask},
    {"forget the caller's tuning", forget_callers_tuning},
    {"enter the working directory", enter_workdir},
    {"end with the supervisor", die_with_supervisor},
    {"close all other descriptors", keep_only_stdio},
    {"wait for the launch record", wait_for_record},
    {"reset the signals", reset_signals},
    {"load the system call filter", load_payload_filter},
    {"run", execute},
});

int fork_command(Child& child) noexcept {
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    const auto pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid < 0) return errno;
    if (pid == 0) return 0;
    if (const int error = send_descriptor(child.in.sync, kPayload, pidfd); error != 0) return error;
    become_init(child, static_cast<pid_t>(pid), kSteps.size());
}

std::string subject_of(const StepRow& row, const StepFailure& failure, const LaunchPlan& plan) {
    if (row.run == make_file_tree) return plan.mounts.at(failure.index).place;
    if (row.run == hold_file_rules && failure.index < plan.landlock.rules.size())
        return plan.landlock.rules.at(failure.index).place;
    if (row.run == close_own_network) return std::string(kNetworkSettings.at(failure.index).name);
    if (row.run == set_rlimits) return std::string(kRlimits.at(failure.index).name);
    if (row.run == enter_workdir) return plan.workdir;
    if (row.run == execute) return plan.command.front();
    return {};
}

const StepRow& row_of(const StepFailure& failure) {
    if (failure.step < kSteps.size()) return kSteps.at(failure.step);
    return kInitSteps.at(failure.step - kSteps.size());
}

}  // namespace

std::string describe_step(const StepFailure& failure, const LaunchPlan& plan) {
    const auto& row = row_of(failure);
    const auto subject = subject_of(row, failure, plan);
    return subject.empty() ? row.attempt : fmt::format("{} {}", row.attempt, subject);
}

int status_of(const StepFailure& failure) {
    if (row_of(failure).run != execute) return 125;
    return failure.error == ENOENT || failure.error == ENOTDIR ? 127 : 126;
}

void run_child(const ChildInput& input) noexcept {
    Child child{input, *input.plan, {}, 0, false};
    for (std::uint32_t step = 0; step < kSteps.size(); ++step)
        if (const int error = kSteps[step].run(child); error != 0) report(child, step, error);
    ::_exit(125);
}

}  // namespace guard::launcher
