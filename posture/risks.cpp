#include "posture/risks.h"

#include <linux/netlink.h>
#include <linux/tiocl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/socket.h>

#include <algorithm>

#include "posture/namespaces.h"
#include "posture/risk_grants.h"

namespace guard {
namespace {

using enum Severity;

constexpr std::string_view kDropCapability = "take it out of [capabilities] allow";
constexpr std::string_view kDropCall =
    "take it, or the group that brings it, out of [seccomp] allow, or put it into deny";
constexpr std::string_view kDropArgument =
    "allow the call by a [[seccomp.rule]] that names the values it needs, and nothing else";
constexpr std::string_view kDropMount = "take the mount away, or give one directory of its own in its place";
constexpr std::string_view kDropWrite = "take `write` away; give it {data} for what it must change";
constexpr std::string_view kOwnNamespace = "write \"new\", or leave the key out";

constexpr std::string_view kProcessCalls =
    "ptrace process_vm_readv process_vm_writev pidfd_getfd process_madvise kcmp";
constexpr std::string_view kMountCalls =
    "mount umount umount2 pivot_root move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr";
constexpr std::string_view kObsoleteCalls =
    "modify_ldt vm86 vm86old iopl ioperm uselib ustat sysfs create_module get_kernel_syms query_module "
    "_sysctl "
    "nfsservctl lookup_dcookie bdflush afs_syscall";
constexpr std::string_view kWholeMachineCalls =
    "swapon swapoff quotactl quotactl_fd acct settimeofday stime clock_settime clock_settime64 adjtimex "
    "clock_adjtime clock_adjtime64 syslog reboot";

// clone(2): its lowest byte is the signal at the end, so a new time namespace can't be asked for there.
constexpr std::uint64_t kOtherNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET;

constexpr RiskArgument one_of(std::string_view argument, std::initializer_list<std::uint64_t> values) {
    RiskArgument test{.argument = argument};
    for (const auto value : values) test.values[test.count++] = value;
    return test;
}
constexpr RiskArgument none_of(std::string_view argument, std::initializer_list<std::uint64_t> values) {
    auto test = one_of(argument, values);
    test.match = RiskArgument::Match::none_of;
    return test;
}
constexpr RiskArgument with_all_bits(std::string_view argument, std::uint64_t bits) {
    auto test = one_of(argument, {bits});
    test.mask = bits;
    return test;
}
constexpr RiskArgument with_any_bit(std::string_view argument, std::uint64_t bits) {
    auto test = none_of(argument, {0});
    test.mask = bits;
    return test;
}

constexpr RiskMatch capability(std::string_view names) { return {.field = "caps", .items = names}; }
constexpr RiskMatch call(std::string_view names, RiskArgument one = {}, RiskArgument other = {}) {
    return {.field = "seccomp.access", .items = names, .arguments = {one, other}};
}
constexpr RiskMatch host_namespace(std::string_view name) {
    return {.field = "namespaces", .items = name, .when = grants::is_host_namespace};
}
constexpr RiskMatch mount(bool (*when)(const std::string&, const Posture&)) {
    return {.field = "mounts", .when = when};
}
constexpr RiskMatch device(bool (*when)(const std::string&, const Posture&)) {
    return {.field = "devices", .when = when};
}

constexpr RiskMatch kNewUsers = call("clone unshare", with_all_bits("flags", CLONE_NEWUSER));
constexpr RiskMatch kNetfilterSocket =
    call("socket", one_of("domain", {AF_NETLINK}), one_of("protocol", {NETLINK_NETFILTER}));

// clang-format off: one row a risk.
constexpr auto kRisks = std::to_array<Risk>({
    // Capabilities: capabilities(7) says what each one gives.
    {{"caps.sys-admin", critical, none, "holds CAP_SYS_ADMIN, most of what root can do",
      "mounts, namespaces and a long list of old and new kernel doors open to it: most escapes from containers need it",
      kDropCapability, "capabilities(7)"}, capability("CAP_SYS_ADMIN"), "programs that mount, or that start containers themselves"},
    {{"caps.sys-module", critical, none, "holds CAP_SYS_MODULE: loads code into the kernel",
      "code in the kernel is this machine: nothing holds it any more", kDropCapability, "capabilities(7), init_module(2)"},
     capability("CAP_SYS_MODULE"), ""},
    {{"caps.sys-rawio", critical, none, "holds CAP_SYS_RAWIO: talks to hardware past the kernel",
      "with it memory of the kernel and of every program can be read and changed", kDropCapability, "capabilities(7), iopl(2), mem(4)"},
     capability("CAP_SYS_RAWIO"), ""},
    {{"caps.sys-ptrace", high, none, "holds CAP_SYS_PTRACE: reads and changes other processes",
      "every process it can see gives up its memory, its open files and its rights", kDropCapability, "capabilities(7), ptrace(2)"},
     capability("CAP_SYS_PTRACE"), "debuggers"},
    {{"caps.dac-read-search", critical, none, "holds CAP_DAC_READ_SEARCH: reads past every file mode",
      "it opens files by their number on a disk, also those outside the directories that were given to it", kDropCapability,
      "capabilities(7), open_by_handle_at(2)"}, capability("CAP_DAC_READ_SEARCH"), "backup programs that read everything"},
    {{"caps.bpf", high, none, "holds CAP_BPF: loads programs into the kernel",
      "a mistake in the kernel's check of such a program gives the whole machine away", kDropCapability, "capabilities(7), bpf(2)"},
     capability("CAP_BPF"), "monitoring agents"},
    {{"caps.perfmon", high, none, "holds CAP_PERFMON: watches processes and the kernel",
      "it learns addresses and contents that other protections rely on being hidden", kDropCapability, "capabilities(7), perf_event_open(2)"},
     capability("CAP_PERFMON"), "profilers"},
    {{"caps.net-admin", medium, none, "holds CAP_NET_ADMIN: changes networks and firewalls",
      "it can undo the rules that guard made for its network, and reach large, old parts of the kernel", kDropCapability, "capabilities(7)"},
     capability("CAP_NET_ADMIN"), "VPN servers"},
    {{"caps.net-raw", medium, none, "holds CAP_NET_RAW: sends packets under any name",
      "it can pretend to be another machine of your network, and packet sockets had holes (CVE-2020-14386)", kDropCapability,
      "capabilities(7), packet(7)"}, capability("CAP_NET_RAW"), "ping of old systems, DHCP servers"},
    {{"caps.mknod", medium, none, "holds CAP_MKNOD: makes device files",
      "a device file is a door to a disk or to memory, and then only the list of devices holds it", kDropCapability,
      "capabilities(7), mknod(2)"}, capability("CAP_MKNOD"), "programs that build system images"},
    {{"caps.sys-chroot", medium, none, "holds CAP_SYS_CHROOT: changes its root directory",
      "with an open directory at hand a changed root is a way out of it", kDropCapability, "capabilities(7), chroot(2)"},
     capability("CAP_SYS_CHROOT"), "old servers that lock themselves in: sshd, vsftpd"},
    {{"caps.change-user", medium, none, "may become any user or group inside",
      "whoever breaks into it is every user of the container, so users inside do not hold it", kDropCapability, "capabilities(7), setuid(2)"},
     capability("CAP_SETUID CAP_SETGID"), "servers that start as root and go on as another user: nginx, Apache, Postfix"},
    {{"caps.setfcap", medium, none, "holds CAP_SETFCAP: gives capabilities to files",
      "a file it marks keeps the right for whoever runs it next", kDropCapability, "capabilities(7), user_namespaces(7)"},
     capability("CAP_SETFCAP"), "package managers"},
    {{"caps.setpcap", medium, none, "holds CAP_SETPCAP: changes what later programs inherit",
      "it can hand on its rights to every program it runs", kDropCapability, "capabilities(7)"}, capability("CAP_SETPCAP"), ""},
    {{"caps.ignore-modes", medium, none, "ignores owners and modes of files",
      "whoever breaks into it reads or changes every file that is mounted into it", kDropCapability, "capabilities(7)"},
     capability("CAP_DAC_OVERRIDE CAP_FOWNER CAP_CHOWN CAP_FSETID"), "servers that start as root and make directories for others: nginx; package managers"},
    {{"caps.sys-boot", high, none, "holds CAP_SYS_BOOT: restarts the machine or starts another kernel",
      "it takes everything on this machine down, or over", kDropCapability, "capabilities(7), reboot(2), kexec_load(2)"},
     capability("CAP_SYS_BOOT"), ""},
    {{"caps.sys-time", medium, none, "holds CAP_SYS_TIME: sets the clock of this machine",
      "certificates, backups and logs of all programs go by that clock", kDropCapability, "capabilities(7), settimeofday(2)"},
     capability("CAP_SYS_TIME"), "time servers"},
    {{"caps.syslog", medium, none, "holds CAP_SYSLOG: reads the kernel's log and addresses",
      "the log tells what else runs here, the addresses help to attack the kernel", kDropCapability, "capabilities(7), syslog(2)"},
     capability("CAP_SYSLOG"), "log collectors"},
    {{"caps.mac", high, none, "may change or ignore a security module",
      "AppArmor, SELinux or Smack no longer hold what runs here", kDropCapability, "capabilities(7)"},
     capability("CAP_MAC_ADMIN CAP_MAC_OVERRIDE"), ""},
    {{"caps.audit-control", high, none, "holds CAP_AUDIT_CONTROL: switches the machine's auditing off",
      "what it does afterwards is written down nowhere", kDropCapability, "capabilities(7)"}, capability("CAP_AUDIT_CONTROL"), ""},
    {{"caps.audit-read", medium, none, "holds CAP_AUDIT_READ: reads the machine's audit log",
      "it sees what all other programs and users do", kDropCapability, "capabilities(7)"}, capability("CAP_AUDIT_READ"), "log collectors"},
    {{"caps.checkpoint-restore", medium, none, "holds CAP_CHECKPOINT_RESTORE: chooses process numbers",
      "it can take the number of a process that ended and be mistaken for it", kDropCapability, "capabilities(7)"},
     capability("CAP_CHECKPOINT_RESTORE"), "programs that freeze and thaw others: CRIU"},
    {{"caps.over-limits", medium, none, "may go over limits of processors, memory or files",
      "one server can make all others slow, or stop them", kDropCapability, "capabilities(7)"},
     capability("CAP_SYS_RESOURCE CAP_SYS_NICE CAP_IPC_LOCK"), "audio servers; databases that lock memory, if [process] rlimits memlock is too small"},
    {{"caps.minor-admin", low, none, "may use small rights of the administrator",
      "each changes something that other programs share: file flags, terminals, accounting, leases, sleep", kDropCapability, "capabilities(7)"},
     capability("CAP_LINUX_IMMUTABLE CAP_SYS_TTY_CONFIG CAP_SYS_PACCT CAP_LEASE CAP_WAKE_ALARM CAP_BLOCK_SUSPEND CAP_IPC_OWNER CAP_NET_BROADCAST"), ""},
    {{"caps.minor", low, none, "may use a small right of root's",
      "ports below 1024, signals to any process inside, lines of the audit log: little, but more than nothing",
      "publish = [\"80:8080/tcp\"] gives a low port without it; else take it out of [capabilities] allow", "capabilities(7)"},
     capability("CAP_NET_BIND_SERVICE CAP_KILL CAP_AUDIT_WRITE"), "servers on ports below 1024 without `publish`"},
    {{"caps.passed-on", high, none, "hands capabilities on although programs may gain rights",
      "an inheritable set that is not empty gives rights to programs that nobody meant (CVE-2022-24769)",
      "empty the inheritable set, or set no_new_privs", "capabilities(7)"},
     {.field = "caps.inheritable", .items = "", .arguments = {}, .when = grants::may_gain_rights}, ""},
    {{"no-new-privs.open", high, none, "programs may gain rights by being run",
      "any set-user-id program inside is then a way to more rights", "set no_new_privs", "PR_SET_NO_NEW_PRIVS(2const)"},
     {.field = "no-new-privs"}, "sudo and su inside"},

    // System calls.
    {{"seccomp.io-uring", high, none, "may use io_uring",
      "it does files and network past the filter; many kernel escapes began here", kDropCall, "moby/moby#46762"},
     call("io_uring_setup io_uring_enter io_uring_register"), "databases that were set to use it; all go on without"},
    {{"seccomp.kernel-probes", high, none, "may load kernel programs or measure the kernel",
      "bpf and perf_event_open are large, and mistakes in them gave whole machines away", kDropCall, "bpf(2), perf_event_open(2)"},
     call("bpf perf_event_open"), "profilers and monitoring agents"},
    {{"seccomp.userfaultfd", high, none, "may stop the kernel in the middle of a copy",
      "userfaultfd lets an attacker win races inside the kernel at leisure", kDropCall, "userfaultfd(2)"},
     call("userfaultfd"), "emulators that move running machines"},
    {{"seccomp.other-processes", medium, none, "may look into other processes",
      "one part that is broken into takes all others of the same user along", kDropCall, "ptrace(2), process_vm_readv(2), pidfd_getfd(2)"},
     call(kProcessCalls), "debuggers; crash reporters"},
    {{"seccomp.mount", medium, none, "may change the file tree",
      "harmless without CAP_SYS_ADMIN, and one step to it less", kDropCall, "mount(2), mount_setattr(2)"},
     call(kMountCalls), "programs that start containers"},
    {{"seccomp.new-users", high, none, "may make user ids of its own (CLONE_NEWUSER)",
      "in a user namespace of its own it holds every capability, and with them most of the kernel's rarely used doors", kDropArgument,
      "user_namespaces(7), clone(2)"}, kNewUsers, "browsers and programs that start containers"},
    {{"seccomp.new-namespaces", high, none, "may make other namespaces of its own",
      "new mounts, networks and process trees are what escapes from containers are built of", kDropArgument, "namespaces(7), clone(2), unshare(2)"},
     call("clone unshare", with_any_bit("flags", kOtherNamespaces)), "programs that start containers"},
    {{"seccomp.setns", high, none, "may enter namespaces of other processes",
      "a descriptor that leads to one is then a way into another container, or out of this one", kDropCall, "setns(2)"},
     call("setns"), "programs that start containers"},
    {{"seccomp.clone3", high, none, "may start processes by clone3, whose flags no filter sees",
      "its flags lie in memory, so a rule against new namespaces does not reach it",
      "take it out of allow and put it into absent: libc goes back to clone", "clone(2), moby/moby#42681"}, call("clone3"), ""},
    {{"seccomp.open-by-handle", medium, none, "may open files by their number on a disk",
      "with CAP_DAC_READ_SEARCH it reads any file of a mounted disk; without, it is refused", kDropCall, "open_by_handle_at(2)"},
     call("open_by_handle_at"), "file servers that export NFS"},
    {{"seccomp.kernel-code", critical, none, "may load code into the kernel or start another one",
      "only a capability still holds it; code in the kernel is this machine", kDropCall, "init_module(2), kexec_load(2)"},
     call("init_module finit_module delete_module kexec_load kexec_file_load"), ""},
    {{"seccomp.keyrings", high, none, "may use the kernel's key rings",
      "keys of other programs of the same user are in reach, and the code has few users", kDropCall, "keyrings(7)"},
     call("keyctl add_key request_key"), "Kerberos"},
    {{"seccomp.socket-crypto", high, none, "may open sockets to the kernel's cryptography (AF_ALG)",
      "one hole there changed files of the whole machine from inside containers (CVE-2026-31431)", kDropArgument, "moby/moby#52501"},
     call("socket", one_of("domain", {AF_ALG})), "hardly any program: OpenSSL works without"},
    {{"seccomp.socketcall", high, none, "may open sockets by the i386 table's one call for all",
      "socketcall keeps its arguments in memory, so no rule about sockets reaches it", "take socketcall out, or write abis = [\"native\"]",
      "socketcall(2), moby/moby#24935"}, {.field = "seccomp.access", .items = "socketcall", .arguments = {}, .when = grants::lets_i386_in}, "32-bit programs from before 2015"},
    {{"seccomp.socket-vm", medium, none, "may open sockets to the machine around this one (AF_VSOCK)",
      "if this is a virtual machine, services of its host are in reach, past every network rule", kDropArgument, "vsock(7)"},
     call("socket", one_of("domain", {AF_VSOCK})), "guest agents"},
    {{"seccomp.socket-packet", medium, none, "may open packet sockets (AF_PACKET)",
      "they need CAP_NET_RAW, and had holes that gave the kernel away (CVE-2020-14386)", kDropArgument, "packet(7)"},
     call("socket", one_of("domain", {AF_PACKET})), "DHCP servers, packet sniffers"},
    {{"seccomp.socket-netfilter", medium, none, "may speak to the kernel's firewall",
      "with CAP_NET_ADMIN it changes the rules; the code behind it is large", kDropArgument, "netlink(7)"},
     kNetfilterSocket, "firewall programs"},
    {{"seccomp.personality", medium, none, "may switch protections of its memory off",
      "addresses that can be guessed and data that can be run make every other bug worse", kDropArgument, "personality(2)"},
     call("personality", none_of("persona", {PER_LINUX, PER_LINUX32, UNAME26, 0x20008, 0xffff'ffff})),
     "emulators of old systems; some compilers that start themselves again without random addresses"},
    {{"seccomp.file-handles", low, none, "may use calls that few servers need",
      "each is a little more of the kernel in reach", kDropCall, "name_to_handle_at(2), fanotify_mark(2), pidfd_open(2), memfd_create(2), execveat(2)"},
     call("name_to_handle_at fanotify_mark pidfd_open memfd_create execveat"), "Java with ZGC (memfd_create), Go and Python (pidfd_open)"},
    {{"seccomp.whole-machine", medium, none, "may ask for changes to the whole machine",
      "only a capability still holds it: clock, swap, quotas, log, restart", kDropCall, "syscalls(2)"}, call(kWholeMachineCalls), "time servers"},
    {{"seccomp.obsolete", medium, none, "may use calls that nothing needs any more",
      "old code that nobody looks at is where holes stay", kDropCall, "syscalls(2), modify_ldt(2)"}, call(kObsoleteCalls), "Wine with 16-bit programs (modify_ldt)"},
    {{"seccomp.move-memory", low, none, "may move memory between banks",
      "of other processes only with CAP_SYS_NICE", kDropCall, "move_pages(2), migrate_pages(2), mbind(2)"},
     call("mbind set_mempolicy move_pages migrate_pages"), "Java with -XX:+UseNUMA or ZGC; databases on machines with several processors"},
    {{"seccomp.machine-code", low, none, "may have memory that is writable and executable",
      "a bug that lets somebody write memory then lets him run what he wrote", "take @jit out of [seccomp] allow, if it makes no machine code",
      "mmap(2), mprotect(2)"}, call("mmap mprotect pkey_mprotect", with_all_bits("prot", PROT_WRITE | PROT_EXEC)), "the JVM and Node: just-in-time compilers"},
    {{"seccomp.type-ahead", medium, none, "may type into a terminal (TIOCSTI, TIOCLINUX)",
      "where it shares a terminal with you, what it types there runs with your rights", kDropArgument, "ioctl_tty(2)"},
     call("ioctl", one_of("request", {TIOCSTI, TIOCLINUX})), ""},

    // The filter as a whole.
    {{"seccomp.off", critical, none, "runs without a system call filter",
      "every call of the kernel is open to it, old and risky ones too", "give it a filter", "seccomp(2)"}, {.field = "seccomp.mode"}, ""},
    {{"seccomp.other-abi", high, none, "may use another table of system calls than its own",
      "the same call has other numbers and other arguments there, and old calls that the own table lacks",
      "write abis = [\"native\"]", "seccomp(2)"}, {.field = "seccomp.access", .items = "", .arguments = {}, .when = grants::is_other_abi}, "32-bit programs"},
    {{"seccomp.allows-what-it-denies", high, none, "the filter lets calls through that it does not list",
      "a list of what is forbidden forgets every call that is newer than the list", "write on-denied = \"EPERM\" when the log was read",
      "seccomp(2)"}, {.field = "seccomp.access", .items = "", .arguments = {}, .when = grants::is_open_default}, "a profile that is still being made"},
    {{"seccomp.unknown-eperm", low, none, "calls newer than guard are answered EPERM",
      "C libraries go back to an older call only where the answer is ENOSYS", "write on-unknown = \"ENOSYS\"", "moby/moby#42871"},
     {.field = "seccomp.access", .items = "", .arguments = {}, .when = grants::is_unknown_eperm}, ""},

    // Users and namespaces.
    {{"users.host-root", critical, none, "an id inside is root of this machine",
      "whoever becomes that id has root's files, and root's rights wherever the kernel asks for the id alone",
      "write map = \"auto\"", "user_namespaces(7)"}, {.field = "users", .items = "", .arguments = {}, .when = grants::maps_host_root}, ""},
    {{"users.host-users", medium, none, "an id inside is a user of this machine",
      "files of that user are open to it, wherever they are mounted", "write map = \"auto\"; a mount with idmap gives single directories",
      "user_namespaces(7)"}, {.field = "users", .items = "", .arguments = {}, .when = grants::maps_host_users}, ""},
    {{"namespaces.host-user", medium, none, "shares this machine's user ids",
      "no line is drawn between users inside and outside: a right inside is the same right here", kOwnNamespace, "user_namespaces(7)"},
     host_namespace("user"), ""},
    {{"namespaces.host-pid", high, none, "sees every process of this machine",
      "their /proc directories are ways to their files, and signals reach them", kOwnNamespace, "pid_namespaces(7)"}, host_namespace("pid"), "monitoring agents"},
    {{"namespaces.host-mount", critical, none, "uses this machine's file tree",
      "every file that its user may read is open to it", kOwnNamespace, "mount_namespaces(7)"}, host_namespace("mount"), ""},
    {{"namespaces.host-network", high, none, "uses this machine's network",
      "it reaches what listens on localhost only, and sockets without a file, which no file mode protects", "write mode = \"bridge\" and publish its ports",
      "network_namespaces(7), unix(7)"}, host_namespace("network"), "programs that look for devices by broadcast: Home Assistant, Plex"},
    {{"namespaces.host-ipc", medium, none, "shares this machine's memory segments and queues",
      "data that other programs exchange there is in reach", kOwnNamespace, "ipc_namespaces(7)"}, host_namespace("ipc"), ""},
    {{"namespaces.host-uts", low, none, "shares this machine's host name",
      "with CAP_SYS_ADMIN it could rename the machine", kOwnNamespace, "uts_namespaces(7)"}, host_namespace("uts"), ""},
    {{"namespaces.host-cgroup", medium, none, "sees where this machine's limits are",
      "names of all services, and with a writable mount their limits, are in reach", kOwnNamespace, "cgroup_namespaces(7)"}, host_namespace("cgroup"), ""},

    // Files.
    {{"mounts.runtime-socket", critical, none, "can reach a socket that starts containers",
      "who may speak to it starts a container with every right of root: it is root on this machine", kDropMount, "docs/checks.md"},
     mount(grants::shows_runtime_socket), "programs that manage containers: Portainer, Traefik, Watchtower"},
    {{"mounts.system-write", critical, none, "may change what this machine runs",
      "what it writes there is run later by root, also after the container is gone", kDropWrite, "docs/checks.md"}, mount(grants::writes_system), ""},
    {{"mounts.system-part-write", high, none, "may change a part of this machine's own files",
      "settings there are obeyed by programs outside", kDropWrite, "docs/checks.md"}, mount(grants::writes_system_part), "certificate robots, for one directory"},
    {{"mounts.guard-files", critical, none, "may change guard's own profiles, records or state",
      "it would write its own rules", kDropMount, "docs/checks.md"}, mount(grants::writes_guard_files), ""},
    {{"mounts.host-proc", critical, none, "has this machine's /proc",
      "core_pattern and sysrq-trigger there are ways to run programs as root, or to stop the machine",
      "take the mount away: a /proc of its own is always there", "proc(5), core(5)"}, mount(grants::binds_proc), "monitoring agents"},
    {{"mounts.cgroup-v1-write", critical, none, "may write to the tree of limits",
      "release_agent there names a program that the kernel runs as root (CVE-2022-0492)", "take `write` away", "cgroups(7)"},
     mount(grants::writes_cgroup_v1), "programs that start containers"},
    {{"mounts.cgroup-write", high, none, "may change limits, its own too",
      "memory and process limits hold only what can't change them", "take `write` away", "cgroups(7)"}, mount(grants::writes_cgroup_v2), "programs that start containers"},
    {{"mounts.sysfs", high, none, "may change or look deep into the kernel and its devices",
      "settings below /sys are for the whole machine, debug files below it show the kernel's inside", kDropMount, "sysfs(5)"},
     mount(grants::opens_sysfs), ""},
    {{"mounts.revealed-control", critical, none, "a switch of the whole kernel is shown",
      "core_pattern and sysrq-trigger are ways to run programs as root or to stop the machine, kcore shows all memory",
      "take it out of [filesystem] reveal", "proc(5), core(5)"}, {.field = "mounts.revealed", .items = "/proc/sys /proc/sysrq-trigger /proc/kcore"}, ""},
    {{"mounts.revealed-other", medium, none, "a hidden file of the kernel is shown",
      "it tells about this machine and its hardware more than a server needs", "take it out of [filesystem] reveal", "proc(5)"},
     {.field = "mounts.revealed", .items = "", .arguments = {}, .when = grants::is_minor_reveal}, ""},
    {{"mounts.write-exec", medium, none, "a mount is writable and executable",
      "what an attacker writes there he can run", "take `exec` away; a script runs without it, through its interpreter", "mount(2)"},
     mount(grants::is_write_exec), "Java and .NET, which unpack native libraries and run them"},
    {{"mounts.suid", medium, none, "set-user-id programs of a mount count",
      "no_new_privs still stops them; without it each is a way to more rights", "take `suid` away", "mount(2), execve(2)"}, mount(grants::is_suid), ""},
    {{"mounts.dev", medium, none, "device files of a mount count",
      "whoever can make or bring a device file there reaches the device, as far as the list of devices lets him", "take `dev` away and name the device in [filesystem] devices",
      "mount(2)"}, mount(grants::is_dev), ""},
    {{"mounts.root-write", medium, none, "the root is writable",
      "an attacker can leave programs in the places where the server looks for them", "take `write` away; give it a tmpfs or {data} where it must write",
      "mount(2)"}, mount(grants::is_root_write), "programs that install themselves"},

    // Devices.
    {{"devices.memory", critical, none, "a device that is all memory, or a whole disk",
      "it reads and changes everything, past every file mode", "take it out of [filesystem] devices", "mem(4), sd(4)"},
     device(grants::is_memory_or_disk), ""},
    {{"devices.driver", medium, none, "a device with a large driver",
      "mistakes in graphics, virtual machine and network drivers give the kernel away", "take it out of [filesystem] devices", "docs/checks.md"},
     device(grants::is_large_driver), "video transcoding (/dev/dri), virtual machines (/dev/kvm), VPNs (/dev/net/tun)"},
    {{"devices.other", low, none, "a device of this machine",
      "its driver and what it drives are in reach", "take it out of [filesystem] devices", "docs/checks.md"}, device(grants::is_other_device), "radio sticks, sound"},

    // Limits and network.
    {{"limits.none", medium, none, "has no limit for memory or processes",
      "a leak or a fork bomb takes the whole machine down", "write a number", "cgroups(7)"},
     {.field = "limits", .items = "memory pids", .arguments = {}, .when = grants::is_unlimited}, ""},
    {{"network.publish-any", low, none, "a port is open to every network this machine is in",
      "if the machine has a public address, that is the internet", "write lan: or localhost: in front of the port", "docs/profiles.md"},
     {.field = "network.publish", .items = "", .arguments = {}, .when = grants::is_for_any}, "public web sites"},
    {{"network.egress-home", medium, none, "may connect to machines of your home",
      "who breaks into it goes on to routers, disks and printers, which are seldom well kept", "name the one address and port it needs", "docs/profiles.md"},
     {.field = "network.egress", .items = "", .arguments = {}, .when = grants::reaches_home}, "programs that control devices at home"},
    {{"network.egress-internet", low, none, "may connect to the whole internet",
      "data can leave, and others be attacked from your address", "name the hosts it needs", "docs/profiles.md"},
     {.field = "network.egress", .items = "", .arguments = {}, .when = grants::reaches_internet}, "programs that fetch from everywhere"},
});

constexpr auto kPairs = std::to_array<RiskPair>({
    {{"caps.sys-admin-with-mount", critical, none, "holds CAP_SYS_ADMIN and may mount",
      "it can uncover hidden files, make its root writable and mount what escapes begin with", "take either away", "mount(2), capabilities(7)"},
     capability("CAP_SYS_ADMIN"), call(kMountCalls), "programs that start containers"},
    {{"caps.sys-admin-with-cgroup-v1", critical, none, "holds CAP_SYS_ADMIN and has the tree of limits",
      "release_agent there names a program that the kernel runs as root (CVE-2022-0492)", "take either away", "cgroups(7)"},
     capability("CAP_SYS_ADMIN"), mount(grants::is_cgroup_v1), ""},
    {{"caps.sys-ptrace-with-host-pid", critical, none, "may change every process of this machine",
      "CAP_SYS_PTRACE reaches all it can see, and it sees them all: one of them is root's", "take the capability away, or write pid = \"new\"", "ptrace(2), pid_namespaces(7)"},
     capability("CAP_SYS_PTRACE"), host_namespace("pid"), "debuggers of the whole machine"},
    {{"caps.bpf-with-perfmon", critical, none, "may load kernel programs that read or rewrite",
      "CAP_BPF with CAP_PERFMON reads all memory, with CAP_NET_ADMIN it changes every packet", "take either away", "capabilities(7), bpf(2)"},
     capability("CAP_BPF"), capability("CAP_PERFMON CAP_NET_ADMIN"), "monitoring agents"},
    {{"caps.net-admin-with-host-network", high, none, "may change this machine's network",
      "it can open the firewall and lead traffic of others past itself", "take the capability away, or write mode = \"bridge\"", "capabilities(7), network_namespaces(7)"},
     capability("CAP_NET_ADMIN"), host_namespace("network"), "VPN servers"},
    {{"caps.mknod-without-device-list", high, none, "may make device files, and no list holds it",
      "it makes a file for the disk of this machine and reads it", "take CAP_MKNOD away", "mknod(2), cgroups(7)"},
     capability("CAP_MKNOD"), device(grants::is_any_device), ""},
    {{"caps.ignore-modes-with-host-files", high, none, "ignores file modes and writes to files of this machine",
      "owners and modes do not protect what is in that directory", "take the capability or `write` away", "capabilities(7)"},
     capability("CAP_DAC_OVERRIDE CAP_FOWNER CAP_CHOWN"), mount(grants::writes_host_files), ""},
    {{"caps.dac-read-search-with-handles", critical, none, "may open every file of a mounted disk by its number",
      "the directories that were given to it no longer bound what it reads", "take either away", "open_by_handle_at(2)"},
     capability("CAP_DAC_READ_SEARCH"), call("open_by_handle_at"), ""},
    {{"caps.setfcap-with-host-users", high, none, "may give capabilities to files for this machine's users",
      "the mark counts outside too: whoever runs the file there has the right", "take CAP_SETFCAP away, or write map = \"auto\"", "capabilities(7), user_namespaces(7)"},
     capability("CAP_SETFCAP"), host_namespace("user"), "package managers"},
    {{"users.root-of-host", high, none, "root inside is root of this machine",
      "only the filter and the file tree still stand between it and everything", "write map = \"auto\"", "user_namespaces(7)"},
     {.field = "identity.uid", .items = "", .arguments = {}, .when = grants::is_user_zero}, host_namespace("user"), ""},
    {{"seccomp.new-users-with-netfilter", high, none, "may make itself root of a network and speak to its firewall",
      "that path into the kernel has been used for escapes again and again", "allow clone without CLONE_NEWUSER, and sockets of named families only",
      "user_namespaces(7), netlink(7)"}, kNewUsers, kNetfilterSocket, ""},
    {{"seccomp.other-processes-of-host", high, none, "may look into every process of this machine",
      "programs of the same user give up their memory and open files", "write pid = \"new\"", "ptrace(2), pid_namespaces(7)"},
     call(kProcessCalls), host_namespace("pid"), "debuggers of the whole machine"},
    {{"seccomp.sockets-past-the-filter", high, none, "rules about sockets can be walked around by the i386 table",
      "socketcall opens every family of sockets, whatever the rule for socket says", "write abis = [\"native\"], or take socketcall out", "socketcall(2), moby/moby#24935"},
     {.field = "seccomp.access", .items = "socket", .arguments = {}, .when = grants::is_narrowed}, {.field = "seccomp.access", .items = "socketcall", .arguments = {}, .when = grants::lets_i386_in}, ""},
    {{"mounts.suid-that-counts", high, none, "set-user-id programs of a mount give rights",
      "every such file there is a way to the rights of its owner", "take `suid` away, or set no_new_privs", "execve(2)"},
     mount(grants::is_suid), {.field = "no-new-privs"}, "sudo and su inside"},
    {{"devices.fuse-with-sys-admin", critical, none, "may mount file systems that it serves itself",
      "with CAP_SYS_ADMIN they can be put over any path, and files in them have any owner and mode", "take either away", "fuse(4), mount(2)"},
     capability("CAP_SYS_ADMIN"), device(grants::is_fuse), "rclone, sshfs: mount them outside and give the directory"},
});
// clang-format on

}  // namespace

std::span<const Risk> risks() { return kRisks; }
std::span<const RiskPair> risk_pairs() { return kPairs; }

}  // namespace guard
