#include "posture/constants.h"

#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/ioctl.h>
#include <linux/memfd.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <array>

namespace guard {
namespace {

using enum ConstantSet;

// The name and its value from the kernel's or libc's own header.
#define ROW(set, name) \
    ConstantRow { set, #name, static_cast<std::uint64_t>(name) }

// clang-format off
constexpr auto kConstants = std::to_array<ConstantRow>({
    ROW(family, AF_UNSPEC), ROW(family, AF_UNIX), ROW(family, AF_LOCAL), ROW(family, AF_INET), ROW(family, AF_INET6),
    ROW(family, AF_NETLINK), ROW(family, AF_PACKET), ROW(family, AF_ALG), ROW(family, AF_VSOCK), ROW(family, AF_BLUETOOTH),
    ROW(family, AF_CAN), ROW(family, AF_TIPC), ROW(family, AF_KEY), ROW(family, AF_XDP), ROW(family, AF_RDS),
    ROW(family, AF_SMC), ROW(family, AF_KCM), ROW(family, AF_QIPCRTR), ROW(family, AF_NFC),
    ROW(socket_type, SOCK_STREAM), ROW(socket_type, SOCK_DGRAM), ROW(socket_type, SOCK_RAW), ROW(socket_type, SOCK_RDM),
    ROW(socket_type, SOCK_SEQPACKET), ROW(socket_type, SOCK_PACKET), ROW(socket_type, SOCK_NONBLOCK),
    ROW(socket_type, SOCK_CLOEXEC),
    ROW(protocol, NETLINK_ROUTE), ROW(protocol, NETLINK_SOCK_DIAG), ROW(protocol, NETLINK_NETFILTER),
    ROW(protocol, NETLINK_KOBJECT_UEVENT), ROW(protocol, NETLINK_GENERIC), ROW(protocol, NETLINK_CRYPTO),
    ROW(protocol, NETLINK_AUDIT), ROW(protocol, NETLINK_XFRM), ROW(protocol, NETLINK_CONNECTOR),
    ROW(protocol, IPPROTO_IP), ROW(protocol, IPPROTO_ICMP), ROW(protocol, IPPROTO_TCP), ROW(protocol, IPPROTO_UDP),
    ROW(protocol, IPPROTO_ICMPV6), ROW(protocol, IPPROTO_SCTP), ROW(protocol, IPPROTO_UDPLITE), ROW(protocol, IPPROTO_RAW),
    ROW(protocol, IPPROTO_MPTCP),
    ROW(clone_flags, CLONE_NEWNS), ROW(clone_flags, CLONE_NEWCGROUP), ROW(clone_flags, CLONE_NEWUTS),
    ROW(clone_flags, CLONE_NEWIPC), ROW(clone_flags, CLONE_NEWUSER), ROW(clone_flags, CLONE_NEWPID),
    ROW(clone_flags, CLONE_NEWNET), ROW(clone_flags, CLONE_NEWTIME), ROW(clone_flags, CLONE_VM), ROW(clone_flags, CLONE_FS),
    ROW(clone_flags, CLONE_FILES), ROW(clone_flags, CLONE_SIGHAND), ROW(clone_flags, CLONE_PIDFD),
    ROW(clone_flags, CLONE_PTRACE), ROW(clone_flags, CLONE_VFORK), ROW(clone_flags, CLONE_PARENT),
    ROW(clone_flags, CLONE_THREAD), ROW(clone_flags, CLONE_SYSVSEM), ROW(clone_flags, CLONE_SETTLS),
    ROW(clone_flags, CLONE_PARENT_SETTID), ROW(clone_flags, CLONE_CHILD_CLEARTID), ROW(clone_flags, CLONE_DETACHED),
    ROW(clone_flags, CLONE_UNTRACED), ROW(clone_flags, CLONE_CHILD_SETTID), ROW(clone_flags, CLONE_IO),
    ROW(fcntl_command, F_DUPFD), ROW(fcntl_command, F_GETFD), ROW(fcntl_command, F_SETFD), ROW(fcntl_command, F_GETFL),
    ROW(fcntl_command, F_SETFL), ROW(fcntl_command, F_GETLK), ROW(fcntl_command, F_SETLK), ROW(fcntl_command, F_SETLKW),
    ROW(fcntl_command, F_SETOWN), ROW(fcntl_command, F_GETOWN), ROW(fcntl_command, F_SETSIG), ROW(fcntl_command, F_GETSIG),
    ROW(fcntl_command, F_SETOWN_EX), ROW(fcntl_command, F_GETOWN_EX), ROW(fcntl_command, F_OFD_GETLK),
    ROW(fcntl_command, F_OFD_SETLK), ROW(fcntl_command, F_OFD_SETLKW), ROW(fcntl_command, F_SETLEASE),
    ROW(fcntl_command, F_GETLEASE), ROW(fcntl_command, F_NOTIFY), ROW(fcntl_command, F_DUPFD_CLOEXEC),
    ROW(fcntl_command, F_SETPIPE_SZ), ROW(fcntl_command, F_GETPIPE_SZ), ROW(fcntl_command, F_ADD_SEALS),
    ROW(fcntl_command, F_GET_SEALS), ROW(fcntl_command, F_GET_RW_HINT), ROW(fcntl_command, F_SET_RW_HINT),
    ROW(file_mode, S_ISUID), ROW(file_mode, S_ISGID), ROW(file_mode, S_ISVTX), ROW(file_mode, S_IFMT),
    ROW(file_mode, S_IFREG), ROW(file_mode, S_IFDIR), ROW(file_mode, S_IFCHR), ROW(file_mode, S_IFBLK),
    ROW(file_mode, S_IFIFO), ROW(file_mode, S_IFSOCK),
    ROW(open_flags, O_WRONLY), ROW(open_flags, O_RDWR), ROW(open_flags, O_CREAT), ROW(open_flags, O_EXCL),
    ROW(open_flags, O_TRUNC), ROW(open_flags, O_APPEND), ROW(open_flags, O_PATH), ROW(open_flags, O_DIRECT),
    ROW(open_flags, O_DIRECTORY), ROW(open_flags, O_NOFOLLOW), ROW(open_flags, O_CLOEXEC), ROW(open_flags, O_NONBLOCK),
    ROW(protection, PROT_NONE), ROW(protection, PROT_READ), ROW(protection, PROT_WRITE), ROW(protection, PROT_EXEC),
    ROW(map_flags, MAP_SHARED), ROW(map_flags, MAP_PRIVATE), ROW(map_flags, MAP_FIXED), ROW(map_flags, MAP_ANONYMOUS),
    ROW(map_flags, MAP_NORESERVE), ROW(map_flags, MAP_LOCKED), ROW(map_flags, MAP_HUGETLB), ROW(map_flags, MAP_STACK),
    ROW(map_flags, MAP_32BIT), ROW(map_flags, MAP_GROWSDOWN),
    ROW(advice, MADV_NORMAL), ROW(advice, MADV_RANDOM), ROW(advice, MADV_SEQUENTIAL), ROW(advice, MADV_WILLNEED),
    ROW(advice, MADV_DONTNEED), ROW(advice, MADV_FREE), ROW(advice, MADV_HUGEPAGE), ROW(advice, MADV_NOHUGEPAGE),
    ROW(advice, MADV_DONTFORK), ROW(advice, MADV_DOFORK), ROW(advice, MADV_DONTDUMP), ROW(advice, MADV_DODUMP),
    ROW(advice, MADV_HWPOISON), ROW(advice, MADV_MERGEABLE), ROW(advice, MADV_UNMERGEABLE),
    ROW(advice, MADV_POPULATE_READ), ROW(advice, MADV_POPULATE_WRITE),
    ROW(prctl_option, PR_SET_PDEATHSIG), ROW(prctl_option, PR_GET_PDEATHSIG), ROW(prctl_option, PR_GET_DUMPABLE),
    ROW(prctl_option, PR_SET_DUMPABLE), ROW(prctl_option, PR_GET_KEEPCAPS), ROW(prctl_option, PR_SET_KEEPCAPS),
    ROW(prctl_option, PR_SET_NAME), ROW(prctl_option, PR_GET_NAME), ROW(prctl_option, PR_GET_SECCOMP),
    ROW(prctl_option, PR_SET_SECCOMP), ROW(prctl_option, PR_CAPBSET_READ), ROW(prctl_option, PR_CAPBSET_DROP),
    ROW(prctl_option, PR_GET_SECUREBITS), ROW(prctl_option, PR_SET_SECUREBITS), ROW(prctl_option, PR_SET_TIMERSLACK),
    ROW(prctl_option, PR_GET_TIMERSLACK), ROW(prctl_option, PR_SET_MM), ROW(prctl_option, PR_SET_PTRACER),
    ROW(prctl_option, PR_SET_CHILD_SUBREAPER), ROW(prctl_option, PR_GET_CHILD_SUBREAPER),
    ROW(prctl_option, PR_SET_NO_NEW_PRIVS), ROW(prctl_option, PR_GET_NO_NEW_PRIVS), ROW(prctl_option, PR_SET_THP_DISABLE),
    ROW(prctl_option, PR_GET_THP_DISABLE), ROW(prctl_option, PR_CAP_AMBIENT), ROW(prctl_option, PR_SET_SPECULATION_CTRL),
    ROW(prctl_option, PR_GET_SPECULATION_CTRL), ROW(prctl_option, PR_SET_IO_FLUSHER),
    ROW(prctl_option, PR_SET_SYSCALL_USER_DISPATCH), ROW(prctl_option, PR_SCHED_CORE), ROW(prctl_option, PR_SET_VMA),
    ROW(arch_prctl_code, ARCH_SET_FS), ROW(arch_prctl_code, ARCH_GET_FS), ROW(arch_prctl_code, ARCH_SET_GS),
    ROW(arch_prctl_code, ARCH_GET_GS), ROW(arch_prctl_code, ARCH_GET_CPUID), ROW(arch_prctl_code, ARCH_SET_CPUID),
    ROW(arch_prctl_code, ARCH_MAP_VDSO_X32), ROW(arch_prctl_code, ARCH_MAP_VDSO_32), ROW(arch_prctl_code, ARCH_MAP_VDSO_64),
    ROW(terminal_request, TCGETS), ROW(terminal_request, TCSETS), ROW(terminal_request, TCSETSW),
    ROW(terminal_request, TCSETSF), ROW(terminal_request, TCSBRK), ROW(terminal_request, TCXONC),
    ROW(terminal_request, TCFLSH), ROW(terminal_request, TIOCGWINSZ), ROW(terminal_request, TIOCSWINSZ),
    ROW(terminal_request, TIOCGPGRP), ROW(terminal_request, TIOCSPGRP), ROW(terminal_request, TIOCGSID),
    ROW(terminal_request, TIOCSCTTY), ROW(terminal_request, TIOCNOTTY), ROW(terminal_request, TIOCOUTQ),
    ROW(terminal_request, TIOCGPTN), ROW(terminal_request, TIOCSPTLCK), ROW(terminal_request, TIOCGPTPEER),
    ROW(terminal_request, TIOCSTI), ROW(terminal_request, TIOCLINUX), ROW(terminal_request, TIOCSETD),
    ROW(terminal_request, TIOCCONS), ROW(terminal_request, FIONREAD), ROW(terminal_request, FIONBIO),
    ROW(terminal_request, FIOCLEX), ROW(terminal_request, FIONCLEX), ROW(terminal_request, FIOASYNC),
    ROW(terminal_request, SIOCATMARK), ROW(terminal_request, SIOCGIFCONF), ROW(terminal_request, SIOCGIFFLAGS),
    ROW(terminal_request, SIOCGIFADDR), ROW(terminal_request, SIOCGIFNETMASK), ROW(terminal_request, SIOCGIFBRDADDR),
    ROW(terminal_request, SIOCGIFHWADDR), ROW(terminal_request, SIOCGIFINDEX), ROW(terminal_request, SIOCGIFMTU),
    ROW(terminal_request, SIOCGIFNAME), ROW(terminal_request, SIOCGIFDSTADDR),
    ROW(persona, PER_LINUX), ROW(persona, PER_LINUX32), ROW(persona, ADDR_NO_RANDOMIZE), ROW(persona, READ_IMPLIES_EXEC),
    ROW(persona, UNAME26), ROW(persona, MMAP_PAGE_ZERO), ROW(persona, ADDR_COMPAT_LAYOUT), ROW(persona, ADDR_LIMIT_3GB),
    ROW(futex_operation, FUTEX_WAIT), ROW(futex_operation, FUTEX_WAKE), ROW(futex_operation, FUTEX_REQUEUE),
    ROW(futex_operation, FUTEX_CMP_REQUEUE), ROW(futex_operation, FUTEX_LOCK_PI), ROW(futex_operation, FUTEX_UNLOCK_PI),
    ROW(futex_operation, FUTEX_PRIVATE_FLAG), ROW(futex_operation, FUTEX_CLOCK_REALTIME),
    ROW(seccomp_operation, SECCOMP_SET_MODE_STRICT), ROW(seccomp_operation, SECCOMP_SET_MODE_FILTER),
    ROW(seccomp_operation, SECCOMP_GET_ACTION_AVAIL), ROW(seccomp_operation, SECCOMP_GET_NOTIF_SIZES),
    ROW(memfd_flags, MFD_CLOEXEC), ROW(memfd_flags, MFD_ALLOW_SEALING), ROW(memfd_flags, MFD_HUGETLB),
    ROW(clock, CLOCK_REALTIME), ROW(clock, CLOCK_MONOTONIC), ROW(clock, CLOCK_PROCESS_CPUTIME_ID),
    ROW(clock, CLOCK_THREAD_CPUTIME_ID), ROW(clock, CLOCK_MONOTONIC_RAW), ROW(clock, CLOCK_REALTIME_COARSE),
    ROW(clock, CLOCK_MONOTONIC_COARSE), ROW(clock, CLOCK_BOOTTIME), ROW(clock, CLOCK_REALTIME_ALARM),
    ROW(clock, CLOCK_BOOTTIME_ALARM), ROW(clock, CLOCK_TAI),
    ROW(signal, SIGHUP), ROW(signal, SIGINT), ROW(signal, SIGQUIT), ROW(signal, SIGABRT), ROW(signal, SIGKILL),
    ROW(signal, SIGUSR1), ROW(signal, SIGUSR2), ROW(signal, SIGPIPE), ROW(signal, SIGALRM), ROW(signal, SIGTERM),
    ROW(signal, SIGCHLD), ROW(signal, SIGCONT), ROW(signal, SIGSTOP), ROW(signal, SIGWINCH),
    ROW(resource, RLIMIT_CPU), ROW(resource, RLIMIT_FSIZE), ROW(resource, RLIMIT_DATA), ROW(resource, RLIMIT_STACK),
    ROW(resource, RLIMIT_CORE), ROW(resource, RLIMIT_RSS), ROW(resource, RLIMIT_NPROC), ROW(resource, RLIMIT_NOFILE),
    ROW(resource, RLIMIT_MEMLOCK), ROW(resource, RLIMIT_AS), ROW(resource, RLIMIT_NICE), ROW(resource, RLIMIT_RTPRIO),
    ROW(policy, SCHED_OTHER), ROW(policy, SCHED_FIFO), ROW(policy, SCHED_RR), ROW(policy, SCHED_BATCH),
    ROW(policy, SCHED_IDLE),
    ROW(ipc_command, IPC_RMID), ROW(ipc_command, IPC_SET), ROW(ipc_command, IPC_STAT), ROW(ipc_command, IPC_INFO),
    ROW(ipc_command, SHM_LOCK), ROW(ipc_command, SHM_UNLOCK), ROW(ipc_command, SHM_STAT), ROW(ipc_command, SHM_INFO),
    ROW(priority_kind, PRIO_PROCESS), ROW(priority_kind, PRIO_PGRP), ROW(priority_kind, PRIO_USER),
    ROW(socket_level, SOL_SOCKET), ROW(socket_level, IPPROTO_IP), ROW(socket_level, IPPROTO_IPV6),
    ROW(socket_level, IPPROTO_TCP), ROW(socket_level, IPPROTO_UDP),
});
// clang-format on
#undef ROW

/// Which constants an argument takes.
struct Use {
    std::string_view call, argument;
    ConstantSet set;
};
constexpr auto kUses = std::to_array<Use>({
    {"arch_prctl", "code", arch_prctl_code},
    {"chmod", "mode", file_mode},
    {"clock_adjtime", "clk_id", clock},
    {"clock_getres", "clockid", clock},
    {"clock_gettime", "clockid", clock},
    {"clock_nanosleep", "clockid", clock},
    {"clock_settime", "clockid", clock},
    {"clone", "flags", clone_flags},
    {"creat", "mode", file_mode},
    {"fchmod", "mode", file_mode},
    {"fchmodat", "mode", file_mode},
    {"fchmodat2", "mode", file_mode},
    {"fcntl", "cmd", fcntl_command},
    {"futex", "futex_op", futex_operation},
    {"getpriority", "which", priority_kind},
    {"getrlimit", "resource", resource},
    {"getsockopt", "level", socket_level},
    {"ioctl", "request", terminal_request},
    {"kill", "sig", signal},
    {"madvise", "advice", advice},
    {"memfd_create", "flags", memfd_flags},
    {"mkdir", "mode", file_mode},
    {"mkdirat", "mode", file_mode},
    {"mknod", "mode", file_mode},
    {"mknodat", "mode", file_mode},
    {"mmap", "flags", map_flags},
    {"mmap", "prot", protection},
    {"mprotect", "prot", protection},
    {"open", "flags", open_flags},
    {"open", "mode", file_mode},
    {"openat", "flags", open_flags},
    {"openat", "mode", file_mode},
    {"personality", "persona", persona},
    {"pkey_mprotect", "prot", protection},
    {"prctl", "option", prctl_option},
    {"prlimit64", "resource", resource},
    {"process_madvise", "advice", advice},
    {"sched_setscheduler", "policy", policy},
    {"seccomp", "operation", seccomp_operation},
    {"setns", "nstype", clone_flags},
    {"setpriority", "which", priority_kind},
    {"setrlimit", "resource", resource},
    {"setsockopt", "level", socket_level},
    {"shmctl", "cmd", ipc_command},
    {"semctl", "cmd", ipc_command},
    {"msgctl", "cmd", ipc_command},
    {"socket", "domain", family},
    {"socket", "protocol", protocol},
    {"socket", "type", socket_type},
    {"socketpair", "domain", family},
    {"socketpair", "protocol", protocol},
    {"socketpair", "type", socket_type},
    {"tgkill", "sig", signal},
    {"timerfd_create", "clockid", clock},
    {"tkill", "sig", signal},
    {"unshare", "flags", clone_flags},
});

}  // namespace

std::span<const ConstantRow> constants() { return kConstants; }

ConstantSet constants_of(std::string_view call, std::string_view argument) {
    const auto* const use = std::ranges::find_if(
        kUses, [&](const Use& row) { return row.call == call && row.argument == argument; });
    return use == kUses.end() ? none : use->set;
}

const ConstantRow* find_constant(ConstantSet set, std::string_view name) {
    const auto* const row = std::ranges::find_if(kConstants, [&](const ConstantRow& constant) {
        return constant.set == set && constant.name == name;
    });
    return row == kConstants.end() ? nullptr : row;
}

const ConstantRow* find_constant(ConstantSet set, std::uint64_t value) {
    const auto* const row = std::ranges::find_if(kConstants, [&](const ConstantRow& constant) {
        return constant.set == set && constant.value == value;
    });
    return row == kConstants.end() ? nullptr : row;
}

}  // namespace guard
