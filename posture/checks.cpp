#include "posture/checks.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <tuple>

#include "posture/fields.h"
#include "posture/risks.h"

namespace guard {
namespace {

using enum Severity;

constexpr std::string_view kRelaunch = "guard stop it, then launch it: everything is made anew";
constexpr std::string_view kTreatAsLost =
    "stop it, and look at its log and at new files in its data directory before you start it again";

// clang-format off
constexpr auto kChecks = std::to_array<Check>({
    {"identity.uid", critical, info, "a task runs as another user than declared",
     "files and processes of that user are open to it", kTreatAsLost, "credentials(7)"},
    {"identity.gid", high, info, "a task runs in another group than declared",
     "files of that group are open to it", kTreatAsLost, "credentials(7)"},
    {"identity.groups", high, info, "a task is in a group that the profile does not give",
     "files of that group are open to it", kTreatAsLost, "credentials(7)"},
    {"users.uid-map", critical, info, "user ids inside stand for other ids outside than declared",
     "an id that maps to one of this machine's users has that user's rights here", kRelaunch, "user_namespaces(7)"},
    {"users.gid-map", critical, info, "group ids inside stand for other ids outside than declared",
     "an id that maps to one of this machine's groups has that group's rights here", kRelaunch, "user_namespaces(7)"},
    {"caps.bounding", high, info, "a task could gain a right that the profile does not give",
     "a program that carries the right would get it when it is run", kRelaunch, "capabilities(7)"},
    {"caps.permitted", critical, info, "a task holds a right that the profile does not give",
     "it can use the right whenever it wants", kTreatAsLost, "capabilities(7)"},
    {"caps.effective", critical, info, "a task can do more than the profile gives",
     "one thread with the right is enough, also where all others look clean", kTreatAsLost, "capabilities(7)"},
    {"caps.inheritable", high, info, "a task would hand on a right that the profile does not give",
     "a program made for it would get the right when it is run", kRelaunch, "capabilities(7)"},
    {"caps.ambient", critical, info, "every program a task runs gets a right that the profile does not give",
     "ordinary programs get the right too", kTreatAsLost, "capabilities(7)"},
    {"securebits", high, info, "the rules by which user 0 gets rights are open again",
     "a program run as user 0 inside could gain the rights of its bounding set", kRelaunch, "capabilities(7)"},
    {"no-new-privs", critical, info, "a task may gain rights by running a set-user-id program",
     "the lock that forbids it is off", kTreatAsLost, "PR_SET_NO_NEW_PRIVS(2const)"},
    {"seccomp.mode", critical, info, "a task runs without a system call filter",
     "every call of the kernel is open to it, old and risky ones too", kTreatAsLost, "seccomp(2)"},
    {"seccomp.filters", critical, info, "a task has fewer filters than it was launched with",
     "filters cannot be taken off: it did not come from this launch", kTreatAsLost, "seccomp(2)"},
    {"seccomp.content", critical, info, "a task does not carry the filter that it was launched with",
     "another filter decides what it may call", kTreatAsLost, "seccomp(2)"},
    {"seccomp.access", high, info, "the filter allows other system calls than declared",
     "each call more is kernel code that an attacker inside can try", kRelaunch, "seccomp(2)"},
    {"landlock.domain", high, info, "a task is outside the file rules (Landlock)",
     "mounts and file modes alone hold it", kTreatAsLost, "landlock(7)"},
    {"landlock.read", medium, info, "the file rules (Landlock) let more be read than declared",
     "files there are open to it", kRelaunch, "landlock(7)"},
    {"landlock.write", high, info, "the file rules (Landlock) let more be written than declared",
     "files there can be changed by it", kRelaunch, "landlock(7)"},
    {"landlock.execute", high, info, "the file rules (Landlock) let more be run than declared",
     "programs there can be run by it", kRelaunch, "landlock(7)"},
    {"namespaces", critical, info, "a task is not in the namespace that was made for it",
     "what it sees and reaches is somebody else's", kTreatAsLost, "namespaces(7)"},
    {"mounts", high, info, "the file tree is not the one declared",
     "files may be reachable, writable or hidden that should not be", kRelaunch, "mount_namespaces(7)"},
    {"mounts.revealed", high, info, "a hidden path of the kernel is shown",
     "kernel settings of this machine could be read or changed from inside", kRelaunch, "proc(5)"},
    {"devices", high, info, "a device is reachable that is not declared",
     "the kernel's driver and what it drives are open to it", kRelaunch, "mknod(2)"},
    {"limits", medium, medium, "a limit is not the one declared",
     "higher: a leak inside could push other servers out; lower: the server may fail",
     "launch it again, or write the wanted limit into the profile", "cgroups(7)"},
    {"limits.cpuset", medium, low, "it may run on other cores than declared",
     "it could slow down what the other cores were kept for", kRelaunch, "cpuset(7)"},
    {"limits.oom-score-adj", low, low, "the order in which programs go when memory ends is not the declared one",
     "another program may be ended in its place", kRelaunch, "proc_pid_oom_score_adj(5)"},
    {"rlimits", medium, medium, "a limit of a process is not the one declared",
     "higher: it can use up more; lower: the server may fail", kRelaunch, "setrlimit(2)"},
    {"network.interfaces", high, info, "the container has a network interface that is not declared",
     "it reaches a network past the rules for the declared one", kRelaunch, "netdevice(7)"},
    {"network.publish", high, low, "a port is reachable from outside that is not declared",
     "people out there can talk to it", kRelaunch, "nft(8)"},
    {"network.listen", high, none, "something inside listens on a port that is not declared",
     "a program waits for connections that nobody planned", kTreatAsLost, "tcp(7)"},
    {"network.egress", high, low, "it may connect to a place that is not declared",
     "data could leave, or other machines be attacked from here", kRelaunch, "nft(8)"},
    {"network.peers", medium, low, "a container may connect to it that is not declared",
     "what happens to that container can spread to this one", kRelaunch, "nft(8)"},
    {"hostname", low, low, "the host name inside is not the one declared",
     "somebody with rights over its namespace changed it", kRelaunch, "uts_namespaces(7)"},
    {"dumpable", low, none, "its memory can be read by programs of the same user inside",
     "secrets in memory can be read by them", kRelaunch, "PR_SET_DUMPABLE(2const)"},
    {"traced", critical, info, "a debugger is attached to a task",
     "whoever traces it can switch its filter off and change what it does",
     "find the tracer (TracerPid in /proc/PID/status) and end it; if it is not yours, stop the container", "ptrace(2)"},
    {"personality", medium, medium, "a task runs with other execution settings than declared",
     "address randomisation or memory protection may be off", kRelaunch, "personality(2)"},
    {"umask", low, low, "new files get other rights than declared",
     "others may read what it writes", kRelaunch, "umask(2)"},
    {"scheduling.policy", medium, medium, "a thread runs in real time: before everything else on its core",
     "a loop in it would leave nothing for this machine's other programs, sshd among them", kRelaunch, "sched(7)"},
    {"scheduling.nice", medium, none, "a thread is served before other programs of this machine",
     "under load the other programs get less of the processor than they should", kRelaunch, "setpriority(2)"},
    {"scheduling.cores", low, low, "a thread may not run on all the cores it was given",
     "it may be slow for no visible reason; somebody pinned it there", kRelaunch, "sched_setaffinity(2)"},
    {"scheduling.disk", medium, none, "a thread's disk traffic goes before everybody else's",
     "under load the other programs wait for the disk", kRelaunch, "ioprio_set(2)"},
    {"network.routes", high, medium, "packets take another way than at the launch",
     "more: it reaches machines past the declared way; fewer: the server may not be reached", kRelaunch, "proc_pid_net(5)"},
    {"network.rules", high, none, "somebody put a packet filter into the container's network",
     "it can redirect what comes in and goes out, or let pass what was to be stopped", kRelaunch, "nft(8)"},
    {"network.settings", medium, medium, "a setting of the container's network is not the one at launch",
     "forwarding makes it a router between networks; lower ports let it pose as a system service", kRelaunch, "ip(7)"},
    {"handles.files", critical, none, "a process holds a file or folder from outside of the container",
     "through an open folder every path of this machine can be reached, past all mounts", kTreatAsLost, "proc_pid_fd(5)"},
    {"handles.kernel", high, none, "a process holds a way into the kernel that its filter would not let it open",
     "it got it from somebody else, and the filter does not see what is done with it", kTreatAsLost, "proc_pid_fd(5)"},
    {"handles.sockets", critical, none, "a process is connected to a program outside, past the network's rules",
     "what that program does for it is done with this machine's rights: a docker socket makes anyone root",
     kTreatAsLost, "unix(7)"},
    {"program.hidden", critical, none, "a process runs a program that no file shows",
     "ordinary programs stay where they are; what hides usually has a reason to", kTreatAsLost, "memfd_create(2)"},
    {"program.replaced", medium, none, "a process still runs what an update has replaced",
     "the holes that the update closed are still open in it", "restart it: guard stop, then guard launch", "proc_pid_maps(5)"},
    {"program.place", high, none, "a program runs from a folder that can be written from inside",
     "somebody inside may have brought it, or may change it", kTreatAsLost, "proc_pid_exe(5)"},
    {"program.name", low, none, "a process calls itself by the name of another program",
     "whoever looks at a list of processes takes it for something else", "look at what it runs: /proc/PID/exe", "PR_SET_NAME(2const)"},
    {"program.write-exec", medium, none, "a process has memory that can be written and executed",
     "what an attacker writes there can be run at once; only just-in-time compilers need it",
     "if the server needs it, allow @jit in its profile; else stop it and look at its log", "mmap(2)"},
    {"program.loader", medium, none, "a process was started with a variable that brings other code into programs",
     "the program itself looks untouched, and runs somebody else's code", "declare it under [process] env, or find out who sets it", "ld.so(8)"},
    {"mounts.shared", high, none, "a mount inside comes and goes with this machine's",
     "what is mounted on this machine appears inside, or what is mounted inside appears on this machine", kRelaunch, "mount_namespaces(7)"},
    {"limits.writable", high, none, "somebody inside may change the container's limits",
     "memory, cpu and process limits hold only as long as nobody wants more", kRelaunch, "cgroups(7)"},
    {"terminal", medium, none, "a process has a terminal of this machine",
     "it could read what you type there, or type for you", kRelaunch, "credentials(7)"},
    {"lsm.label", high, high, "the security module treats a task otherwise than at the launch",
     "its rules were a further wall, and another set of them holds now", kRelaunch, "proc_pid_attr(5)"},
    {"clocks", low, low, "the clocks inside are not those of the launch",
     "timeouts and logs do not fit this machine's", kRelaunch, "time_namespaces(7)"},

    // Raised by name: no field of a posture differs.
    {"record.missing", high, high, "a container runs without its launch record",
     "nobody can say any more what it was allowed when it started", kRelaunch, "docs/audit.md"},
    {"record.other-boot", high, high, "the launch record is from before the last start of this machine",
     "what it describes does not exist any more", "run any guard command that changes something: it cleans up", "docs/audit.md"},
    {"record.profile-changed", low, low, "the profile was changed after the launch",
     "the container still runs as it was launched, not as the file says now",
     "launch it again to use the changed profile", "docs/audit.md"},
    {"process.not-running", medium, medium, "a container that was launched is not running",
     "its service is down", "guard logs shows its last words; launch it again", "docs/audit.md"},
    {"process.foreign", critical, critical, "a process is inside that did not come from this launch",
     "it has rights of its own, and none of the filters is proved for it", kTreatAsLost, "setns(2)"},
    {"process.escaped", critical, critical, "a process of the container is in namespaces of this machine",
     "it sees and reaches what this machine's programs do", kTreatAsLost, "namespaces(7)"},
    {"process.outside-cgroup", high, high, "a process of the container has left its limits",
     "memory, cpu and process limits no longer hold it", kTreatAsLost, "cgroups(7)"},
    {"process.leader-ended", high, high, "the first thread of a process has ended, and others go on",
     "usual tools show the process as dead and nothing of what still runs", kTreatAsLost, "pthread_exit(3)"},
    {"process.handle", medium, medium, "a program outside keeps a way into the container's namespaces",
     "it can enter them at any time, and they stay when the container ends",
     "end that program, or let it close the file, if you do not know why it does so", "setns(2)"},
    {"process.unseen", high, high, "its processes can't be seen",
     "what cannot be seen may be anything", "sudo guard audit; or mount /proc without hidepid", "proc(5)"},
    {"network.filter", critical, critical, "the rules that hold the container's network were changed",
     "it may reach what it should not, or be reached by whom it should not", kRelaunch, "nft(8)"},
    {"host.core-dumps", low, low, "this machine starts a program when one inside crashes",
     "that program runs with all rights, outside of the container, on what the crashed one left",
     "write rlimits = { core = 0 } under [process]", "core(5)"},
    {"host.bpf", low, low, "this machine lets everybody load BPF programs, and the filter allows the call",
     "the kernel's checker of such programs had many holes", "sysctl kernel.unprivileged_bpf_disabled=2", "bpf(2)"},
    {"host.ptrace", low, low, "this machine lets processes of one user trace each other, and the filter allows it",
     "one process inside can take over its neighbours", "sysctl kernel.yama.ptrace_scope=1, or take ptrace from the filter", "ptrace(2)"},
    {"files.setuid", high, high, "a file inside gives whoever runs it other rights",
     "on this mount such files work", "chmod u-s,g-s it, or setcap -r; mounts without `suid` make them harmless", "execve(2)"},
    {"files.setuid-dormant", low, low, "a file inside would give whoever runs it other rights, were it mounted otherwise",
     "this mount makes it harmless; on another it would not be", "chmod u-s,g-s it, or setcap -r", "execve(2)"},
    {"files.unread", medium, medium, "files inside could not be looked at", "a file with rights of its own may be among them",
     "sudo guard audit --scan-files", "docs/audit.md"},
    {"process.unstable", low, low, "a task changed while it was read, three times",
     "what was read may mix two moments", "audit again; if it stays, look at what it runs", "docs/audit.md"},
    {"profile.error", high, high, "a profile can't be used",
     "launch refuses it, so nothing that it says protects anybody", "guard check shows the line, and the word that was probably meant", "docs/profiles.md"},
    {"waiver.ending", low, low, "a waiver ends soon",
     "from that day its finding counts again",
     "take the grant away, or renew `expires` with a reason that is still true", "docs/profiles.md"},
    {"waiver.expired", medium, medium, "a waiver has ended: its finding counts again",
     "somebody promised to mend it by that day", "mend it, or renew `expires` with a reason that is still true", "docs/profiles.md"},
    {"waiver.unused", low, low, "a waiver excuses nothing any more",
     "it would hide the finding if it came back", "take the waiver away", "docs/profiles.md"},
    {"waiver.self-granted", high, high, "a waiver was added together with what it excuses",
     "who asks for a right would also be the one who excuses it", "let the waiver come first, in a change of its own that its owner approves",
     "docs/review.md"},
    {"seccomp.failure", low, low, "a call that is refused fails in another way",
     "a program may take another way, or end where it went on: EPERM where libc asks for ENOSYS breaks new programs",
     "check that the server still starts and works", "seccomp(2)"},
    {"seccomp.supervision", medium, low, "a call is logged, traced or asked about otherwise",
     "what watches it no longer sees the same", "check that whoever watches is meant to", "seccomp_unotify(2)"},
    {"review.requirement", high, info, "this change lowers the bar that it is measured by",
     "a change must not lower the bar that it is measured by: the base's bar was used",
     "lower the bar in a change of its own", "docs/review.md"},
    {"review.profile-gone", info, info, "is gone, with everything that it granted",
     "who launches it by name finds another one, or none", "nothing, if it is meant", "docs/review.md"},
    {"review.unreadable", high, high, "a profile could not be read, so nobody knows what it allows",
     "what can't be read can't be compared", "mend it: guard check shows what is wrong", "docs/review.md"},
    {"review.unsaid", medium, medium, "a setting changed that guard does not judge",
     "it may allow more or less: read what the runtime does with it", "look at it yourself", "docs/review.md"},
    {"review.profile-new", info, none, "is new, and compared with one that grants nothing",
     "what it grants was granted to nobody before", "read it as a whole: guard explain shows it", "docs/review.md"},
    {"service.run", info, info, "it is run otherwise, with the same rights",
     "no right changes with it, but what is done with them does", "check that it is meant", "docs/profiles.md"},
    {"service.secrets", high, info, "it is given another secret",
     "the file, or what the command prints, can be read inside; the command itself runs on this machine",
     "give it only what the server reads", "docs/profiles.md"},
    {"service.optional", medium, info, "a protection may be missing where the host lacks it",
     "a launch goes on without it, and only says so", "take it off `optional`", "docs/profiles.md"},
    {"service.network", medium, low, "it is joined to the network in another way",
     "who is beside it on that network can try to reach it", "check that the bridge, parent or address is meant", "docs/profiles.md"},
});

// What `guard check` finds in the lines of a profile, beside the risks that they grant.
constexpr auto kLints = std::to_array<Check>({
    {"seccomp.vital-call-denied", high, none, "a call is denied that no program can do without",
     "it would not start, or crash at its first signal or at its end", "take it out of deny, or out of the group that is denied", "docs/profiles.md"},
    {"seccomp.base-call-denied", low, none, "a call is denied that most programs use",
     "some will fail in strange ways", "take it out of deny, unless it was tried", "docs/profiles.md"},
    {"seccomp.idle-rule", low, none, "a rule has no effect",
     "whoever reads it believes in a bound that is not there", "take the rule away, or what makes it idle", "docs/profiles.md"},
    {"seccomp.dead-grant", medium, none, "a grant has no effect: it is denied",
     "the server will fail where it needs the call, although the profile names it", "take it away, or write replace = [\"deny\"] and what shall stay denied",
     "docs/profiles.md"},
    {"seccomp.rules-allow-all", high, none, "two rules together allow what each excludes",
     "`not-in` twice on one argument lets every value in: each rule allows what the other keeps out", "write one rule that excludes all the values",
     "moby/moby#52494"},
    {"seccomp.twin-open", medium, none, "a call is closed, and another that does the same is open",
     "an attacker takes the other one", "close both, by deny or by the same rule", "syscalls(2)"},
    {"seccomp.wrong-half", medium, none, "a mask looks at the wrong half of an argument",
     "the bits that mean something are in the lower half: the condition asks nothing of them", "shift the mask down by 32 bits", "seccomp(2)"},
    {"seccomp.half-compared", high, none, "only the lower half of a 64-bit argument is compared",
     "a caller sets the upper half as it likes and passes the comparison with another value", "leave the mask out", "seccomp(2)"},
    {"seccomp.deny-dropped", medium, none, "a denial that was inherited is dropped",
     "what the extended profile forbids for a reason is allowed again", "write the denials that shall stay beside `replace`", "docs/profiles.md"},
    {"caps.lost-at-exec", medium, none, "a capability is lost when the program is run",
     "the server starts without the right that it is said to have", "put it into the ambient set as well", "capabilities(7)"},
    {"limits.heap-over-memory", medium, none, "the heap is as large as the memory limit or nearly so",
     "the runtime believes that it has room left when the kernel ends the server; it needs memory beside its heap, too",
     "make the heap three quarters of the limit at most, or the limit larger", "cgroups(7)"},
    {"limits.sum", medium, none, "the memory limits together are too much for this machine",
     "when all use what they may, the kernel ends one of them, or a program of this machine",
     "lower some, or leave out what never runs at the same time", "cgroups(7)"},
    {"profile.writable-by-others", low, none, "somebody else could change a file of the profile",
     "who can write it decides what the server may do, so launch refuses it", "sudo chown root: FILE && sudo chmod 644 FILE, after reading it once",
     "docs/profiles.md"},
    {"profile.idle-key", low, none, "a key has no effect beside another one",
     "whoever reads it believes in something that is not so", "take it away", "docs/profiles.md"},
});
// clang-format on

constexpr bool has_row(std::string_view id) {
    return std::ranges::find(kChecks, id, &Check::id) != kChecks.end();
}
static_assert(std::apply([](const auto&... field) { return (has_row(field.name) && ...); }, kFields),
              "a field of the posture has no check row");

}  // namespace

std::span<const Check> checks() { return kChecks; }
std::span<const Check> lint_checks() { return kLints; }

std::vector<std::string_view> check_ids() {
    std::vector<std::string_view> ids;
    for (const auto rows : {checks(), lint_checks()})
        for (const auto& row : rows) ids.push_back(row.id);
    for (const auto& risk : risks()) ids.push_back(risk.check.id);
    for (const auto& pair : risk_pairs()) ids.push_back(pair.check.id);
    return ids;
}

const Check* find_check(std::string_view id) {
    for (const auto rows : {checks(), lint_checks()})
        for (const auto& row : rows)
            if (row.id == id) return &row;
    for (const auto& risk : risks())
        if (risk.check.id == id) return &risk.check;
    for (const auto& pair : risk_pairs())
        if (pair.check.id == id) return &pair.check;
    return nullptr;
}

std::span<const std::string_view> compared_checks() {
    static constexpr auto kIds =
        std::apply([](const auto&... field) { return std::array{field.name...}; }, kFields);
    return kIds;
}

const Check& check_of(std::string_view id) {
    for (auto prefix = id;; prefix = prefix.substr(0, prefix.rfind('.'))) {
        if (const auto* const row = find_check(prefix)) return *row;
        assert(prefix.find('.') != std::string_view::npos && "no check row");
    }
}

std::string_view severity_name(Severity severity) {
    constexpr std::array<std::string_view, 6> kNames{"none", "info", "low", "medium", "high", "critical"};
    return kNames.at(static_cast<std::size_t>(severity));
}

}  // namespace guard
