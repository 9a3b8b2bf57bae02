// A floor of guard's own: the system calls of a launch that cost anything, in guard's order, with every value
// given: nothing is read from a profile, planned, checked, compiled or remembered. What guard takes above it
// is guard's. cgroups v1 only, as on the machine this was written on.
//
//   bench_own_floor ROOT FILTER RECORD NAME alone|PUBLISH COMMAND [ARG...]
//
// FILTER: a BPF program as the kernel takes it; RECORD: a file of the size of a launch record.
// PUBLISH: a word of network.publish; then the container has a bridge, and the port.
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "base/sys.h"
#include "launcher/network.h"
#include "posture/posture.h"

namespace {

using std::string;

void must(long result, const char* what) {
    if (result >= 0) return;
    std::perror(what);
    ::_exit(125);
}

int opened(const string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    must(fd, path.c_str());
    return fd;
}
void put(const string& path, const string& text) {
    const int fd = opened(path, O_WRONLY);
    must(::write(fd, text.data(), text.size()), path.c_str());
    ::close(fd);
}
string text_of(const string& path) {
    const auto text = guard::sys::read_file(path);
    if (!text) must(-1, path.c_str());
    return *text;
}

// ---- cgroups

struct Write {
    const char *controller, *file, *value;
};
constexpr std::array kControllers{"unified", "cpu",     "cpuacct", "cpuset",
                                  "devices", "freezer", "memory",  "pids"};
constexpr std::array kWrites{Write{"cpu", "cpu.cfs_period_us", "100000"},
                             Write{"cpu", "cpu.cfs_quota_us", "100000"},
                             Write{"memory", "memory.limit_in_bytes", "536870912"},
                             Write{"pids", "pids.max", "128"},
                             Write{"memory", "memory.memsw.limit_in_bytes", "536870912"},
                             Write{"cpuset", "cpuset.cpus", "0-1"},
                             Write{"cpuset", "cpuset.mems", "0"},
                             Write{"devices", "devices.deny", "a"},
                             Write{"devices", "devices.allow", "c 1:3 rw"},
                             Write{"devices", "devices.allow", "c 1:5 rw"},
                             Write{"devices", "devices.allow", "c 1:7 rw"},
                             Write{"devices", "devices.allow", "c 1:8 rw"},
                             Write{"devices", "devices.allow", "c 1:9 rw"},
                             Write{"devices", "devices.allow", "c 5:0 rw"},
                             Write{"devices", "devices.allow", "c 5:2 rw"},
                             Write{"devices", "devices.allow", "c 136:* rw"}};

string shared(const char* controller) { return string("/sys/fs/cgroup/") + controller + "/guard"; }

void make_cgroups(const string& name) {
    for (const auto* controller : kControllers) {
        const auto folder = shared(controller);
        if (::mkdir(folder.c_str(), 0755) == 0 && string(controller) == "cpuset")
            for (const auto* file : {"cpuset.cpus", "cpuset.mems"})
                put(folder + "/" + file, text_of(string("/sys/fs/cgroup/cpuset/") + file));
        must(::mkdir((folder + "/" + name).c_str(), 0755), "mkdir");
    }
    for (const auto& [controller, file, value] : kWrites)
        put(shared(controller) + "/" + name + "/" + file, value);
}

struct Doors {
    int leaf = -1;
    std::array<int, kControllers.size() - 1> tasks{};
};
Doors open_doors(const string& name) {
    Doors doors;
    doors.leaf = opened(shared(kControllers[0]) + "/" + name, O_RDONLY | O_DIRECTORY);
    for (std::size_t at = 0; at < doors.tasks.size(); ++at)
        doors.tasks.at(at) = opened(shared(kControllers.at(at + 1)) + "/" + name + "/tasks", O_WRONLY);
    return doors;
}

void remove_cgroups(const string& name) {
    for (const auto* controller : kControllers) {
        while (::rmdir((shared(controller) + "/" + name).c_str()) < 0 && errno == EBUSY)
            ::poll(nullptr, 0, 1);
        ::rmdir(shared(controller).c_str());
    }
}

// ---- mounts

using Options = std::vector<std::pair<const char*, const char*>>;  // a value of none is a flag
constexpr unsigned kTight = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

int fresh(const char* type, const Options& options, unsigned attributes) {
    const int fs = static_cast<int>(::syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
    must(fs, type);
    for (const auto& [key, value] : options)
        must(::syscall(SYS_fsconfig, fs, value == nullptr ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key,
                       value, 0),
             key);
    must(::syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0), type);
    const int mount = static_cast<int>(::syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes));
    must(mount, type);
    ::close(fs);
    return mount;
}
int copy_of(int dir, const char* path, std::uint64_t attributes) {
    const int mount =
        static_cast<int>(::syscall(SYS_open_tree, dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
    must(mount, path);
    mount_attr set{.attr_set = attributes, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
    must(::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &set, sizeof set), path);
    return mount;
}
void close_mount(int mount) {
    mount_attr set{.attr_set = MOUNT_ATTR_RDONLY, .attr_clr = 0, .propagation = 0, .userns_fd = 0};
    must(::syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH, &set, sizeof set), "mount_setattr");
}
void place(int mount, int root, const char* where) {
    must(::syscall(SYS_move_mount, mount, "", root, where, MOVE_MOUNT_F_EMPTY_PATH), where);
}
void place_in_new(int mount, int root, const char* where) {
    must(::mkdirat(root, where, 0755), where);
    place(mount, root, where);
}

constexpr std::array kDevices{"full", "null", "random", "tty", "urandom", "zero"};
constexpr std::array kAgain{"proc/bus", "proc/fs", "proc/irq", "proc/sys"};
constexpr std::array kHidden{"proc/keys", "proc/timer_list"};

struct Binds {
    int root = -1;
    std::array<int, kDevices.size()> devices{};
    std::array<int, kHidden.size()> hidden{};
};
Binds open_binds(const char* root) {
    Binds binds;
    binds.root = copy_of(AT_FDCWD, root, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    for (std::size_t i = 0; i < kDevices.size(); ++i)
        binds.devices.at(i) = copy_of(AT_FDCWD, (string("/dev/") + kDevices.at(i)).c_str(),
                                      MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
    for (auto& one : binds.hidden) one = copy_of(AT_FDCWD, "/dev/null", MOUNT_ATTR_RDONLY | kTight);
    return binds;
}

void make_tree(const Binds& binds) {
    const Options small{{"gid", "0"}, {"mode", "755"}, {"size", "4194304"}, {"uid", "0"}};
    const Options large{{"gid", "999"}, {"mode", "1777"}, {"size", "67108864"}, {"uid", "999"}};
    must(::syscall(SYS_move_mount, binds.root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH), "root");
    const int root = binds.root, dev = fresh("tmpfs", small, kTight);
    place(dev, root, "dev");
    for (const auto* link : {"dev/fd", "dev/stdin", "dev/stdout", "dev/stderr", "dev/ptmx"})
        must(::symlinkat("/proc/self/fd", root, link), link);
    for (std::size_t i = 0; i < kDevices.size(); ++i) {
        const auto where = string("dev/") + kDevices.at(i);
        ::close(::openat(root, where.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
        place(binds.devices.at(i), root, where.c_str());
    }
    place_in_new(fresh("mqueue", {}, kTight), root, "dev/mqueue");
    place_in_new(fresh("devpts", {{"gid", "5"}, {"mode", "0620"}, {"ptmxmode", "0666"}},
                       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC),
                 root, "dev/pts");
    place_in_new(fresh("tmpfs", large, kTight), root, "dev/shm");
    place(fresh("proc", {{"hidepid", "invisible"}}, kTight), root, "proc");
    for (const auto* where : kAgain) place(copy_of(root, where, MOUNT_ATTR_RDONLY | kTight), root, where);
    for (std::size_t i = 0; i < kHidden.size(); ++i) place(binds.hidden.at(i), root, kHidden.at(i));
    const int sys = fresh("tmpfs", small, kTight);
    place(sys, root, "sys");
    for (const auto* folder : {"sys/fs", "sys/fs/cgroup"}) must(::mkdirat(root, folder, 0755), folder);
    for (const auto* controller : {"cpu", "cpuacct", "cpuset", "memory", "pids"})
        place_in_new(fresh("cgroup", {{controller, nullptr}}, MOUNT_ATTR_RDONLY | kTight), root,
                     (string("sys/fs/cgroup/") + controller).c_str());
    place(fresh("tmpfs", large, kTight), root, "tmp");
    for (const int mount : {dev, sys}) close_mount(mount);
    must(::fchdir(root), "fchdir");
    must(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(::umount2(".", MNT_DETACH), "umount");
    must(::chdir("/"), "chdir");
}

// ---- rights

void hold_file_rules() {
    constexpr std::uint64_t kRead = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
                                    LANDLOCK_ACCESS_FS_READ_DIR,
                            kWrite = LANDLOCK_ACCESS_FS_WRITE_FILE;
    landlock_ruleset_attr wanted{};
    wanted.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1U) - 1;
    const long rules = ::syscall(SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);
    must(rules, "landlock_create_ruleset");
    const auto allow = [rules](const char* path, std::uint64_t access) {
        const int fd = opened(path, O_PATH);
        landlock_path_beneath_attr rule{access, fd};
        must(::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0), path);
        ::close(fd);
    };
    allow("/", kRead);
    for (const auto* path : {"/dev", "/dev/full", "/dev/mqueue", "/dev/null", "/dev/pts", "/dev/random",
                             "/dev/shm", "/dev/tty", "/dev/urandom", "/dev/zero", "/proc", "/tmp"})
        allow(path, kWrite);
    must(::syscall(SYS_landlock_restrict_self, rules, 0), "landlock_restrict_self");
}

void drop_rights(uid_t id) {
    const rlimit core{1, 1};
    must(::setrlimit(RLIMIT_CORE, &core), "rlimit");
    must(::prctl(PR_SET_KEEPCAPS, 1), "keepcaps");
    for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) ::prctl(PR_CAPBSET_DROP, capability);
    must(::syscall(SYS_setgroups, 0, nullptr), "setgroups");
    must(::syscall(SYS_setresgid, id, id, id), "setresgid");
    must(::syscall(SYS_setresuid, id, id, id), "setresuid");
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> rights{};
    rights[0].effective = rights[0].permitted = 1U << static_cast<unsigned>(CAP_SETPCAP);
    must(::syscall(SYS_capset, &header, rights.data()), "capset");
    must(::prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED), "securebits");
    rights[0] = {};
    must(::syscall(SYS_capset, &header, rights.data()), "capset");
    must(::prctl(PR_SET_DUMPABLE, 0), "dumpable");
}

void load_filter(const string& bytes) {
    std::vector<sock_filter> program(bytes.size() / sizeof(sock_filter));
    std::memcpy(program.data(), bytes.data(), program.size() * sizeof(sock_filter));
    const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
    must(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
}

// ---- the two halves

struct Wires {
    std::array<int, 2> sync{}, report{}, out{}, err{};
};

void send_pidfd(int socket, int fd) {
    char byte = 'p';
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    auto* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    must(::sendmsg(socket, &message, 0), "sendmsg");
}
char heard(int socket) {
    char byte = 0;
    must(::recv(socket, &byte, 1, 0), "recv");
    return byte;
}

[[noreturn]] void reap(int sync, long payload) {
    drop_rights(0);
    constexpr std::array kSmall{sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    load_filter({reinterpret_cast<const char*>(kSmall.data()), sizeof kSmall});
    int status = 0;
    while (::syscall(SYS_wait4, -1, &status, 0, nullptr) != payload) {
    }
    [[maybe_unused]] const auto told = ::write(sync, &status, sizeof status);
    ::_exit(WEXITSTATUS(status));
}

[[noreturn]] void child(const Binds& binds, const Doors& doors, const Wires& wires, const string& filter,
                        const string& name, char** argv) {
    if (heard(wires.sync[1]) != 'm') ::_exit(125);
    for (const int fd : doors.tasks) must(::write(fd, "0", 1), "tasks");
    must(::unshare(CLONE_NEWCGROUP), "unshare");
    put("/proc/sys/user/max_user_namespaces", "0");
    put("/proc/sys/vm/memfd_noexec", "2");
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private");
    must(::syscall(SYS_setgroups, 0, nullptr), "setgroups");
    must(::syscall(SYS_setresgid, 0, 0, 0), "setresgid");
    must(::syscall(SYS_setresuid, 0, 0, 0), "setresuid");
    must(::sethostname(name.data(), name.size()), "sethostname");
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq loopback{};
    std::strcpy(loopback.ifr_name, "lo");
    loopback.ifr_flags = IFF_UP;
    must(::ioctl(socket, SIOCSIFFLAGS, &loopback), "lo");
    ::umask(0);
    make_tree(binds);
    must(::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, nullptr), "keyctl");
    must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    hold_file_rules();
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    must(pid, "fork");
    if (pid > 0) {
        send_pidfd(wires.sync[1], pidfd);
        ::close(wires.report[1]);
        ::close(wires.out[1]);
        ::close(wires.err[1]);
        reap(wires.sync[1], pid);
    }
    ::setsid();
    ::dup2(wires.out[1], 1);
    ::dup2(wires.err[1], 2);
    drop_rights(999);
    ::umask(027);
    must(::prctl(PR_SET_PDEATHSIG, SIGKILL), "pdeathsig");
    must(::syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC), "close_range");
    if (heard(wires.sync[1]) != 'r') ::_exit(125);
    load_filter(filter);
    char path[] = "PATH=/bin";
    std::array<char*, 2> environment{path, nullptr};
    ::execve(argv[0], argv, environment.data());
    ::_exit(127);
}

void save(const string& folder, const string& record) {
    const int fd = ::open((folder + "/new").c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    must(fd, "record");
    must(::write(fd, record.data(), record.size()), "record");
    must(::rename((folder + "/new").c_str(), (folder + "/record.json").c_str()), "rename");
    ::close(fd);
}

guard::launcher::NetworkPlan bridge_for(const string& name, const string& publish) {
    guard::Profile profile;
    profile.name = name;
    profile.posture = guard::nothing_granted();
    profile.posture.network.publish = guard::Grants<string>{{publish}};
    profile.service.network.mode = guard::NetworkMode::bridge;
    const auto plan = guard::launcher::plan_network(profile, name);
    if (!plan) {
        std::fprintf(stderr, "%s\n", describe(plan.error()).c_str());
        ::_exit(125);
    }
    return *plan;
}

void connect(const guard::launcher::NetworkPlan& plan, long pid) {
    const int netns = opened("/proc/" + std::to_string(pid) + "/ns/net", O_RDONLY);
    const auto made = guard::launcher::make_network(plan, netns);
    if (!made) {
        std::fprintf(stderr, "%s\n", describe(made.error()).c_str());
        ::_exit(125);
    }
    ::close(netns);
}

// What is shown and logged, until the command and PID 1 have ended.
int supervise(const Wires& wires, int pidfd, int signals, const string& log) {
    const int file = opened(log, O_WRONLY | O_CREAT | O_APPEND);
    std::array<pollfd, 4> ready{
        {{pidfd, POLLIN, 0}, {signals, POLLIN, 0}, {wires.out[0], POLLIN, 0}, {wires.err[0], POLLIN, 0}}};
    while (ready[0].revents == 0) {
        must(::poll(ready.data(), ready.size(), -1), "poll");
        std::array<char, 4096> bytes{};
        for (auto* one : {&ready[2], &ready[3]})
            if (one->revents != 0 && ::read(one->fd, bytes.data(), bytes.size()) <= 0) one->fd = -1;
    }
    int status = 0;
    ::recv(wires.sync[0], &status, sizeof status, MSG_DONTWAIT);
    siginfo_t info{};
    must(::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info, WEXITED), "waitid");
    ::close(file);
    return WEXITSTATUS(status);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 7) return 2;
    const string filter = text_of(argv[2]), record = text_of(argv[3]), name = argv[4];
    const bool bridge = string(argv[5]) != "alone";
    const string folder = "/run/guard/" + name;
    guard::launcher::NetworkPlan network;
    if (bridge) network = bridge_for(name, argv[5]);
    must(::prctl(PR_SET_DUMPABLE, 0), "dumpable");
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &held, nullptr);
    const int signals = ::signalfd(-1, &held, SFD_CLOEXEC);
    must(::mkdir(folder.c_str(), 0700), folder.c_str());
    must(::flock(opened(folder + "/lock", O_RDWR | O_CREAT), LOCK_EX | LOCK_NB), "lock");
    save(folder, record);
    make_cgroups(name);
    const auto doors = open_doors(name);
    const auto binds = open_binds(argv[1]);
    Wires wires;
    must(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wires.sync.data()), "socketpair");
    for (auto* pipe : {&wires.report, &wires.out, &wires.err}) must(::pipe2(pipe->data(), O_CLOEXEC), "pipe");
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS |
                      CLONE_NEWUTS | CLONE_PIDFD | CLONE_INTO_CGROUP;
    arguments.cgroup = static_cast<std::uint64_t>(doors.leaf);
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    must(pid, "clone3");
    if (pid == 0) child(binds, doors, wires, filter, name, argv + 6);
    for (auto* pipe : {&wires.report, &wires.out, &wires.err, &wires.sync}) ::close((*pipe)[1]);
    for (const int fd : doors.tasks) ::close(fd);
    for (const auto* map : {"uid_map", "gid_map"})
        put("/proc/" + std::to_string(pid) + "/" + map, "0 1879000000 65536\n");
    put("/proc/" + std::to_string(pid) + "/oom_score_adj", "0");
    must(::send(wires.sync[0], "m", 1, MSG_NOSIGNAL), "send");
    if (bridge) connect(network, pid);
    if (heard(wires.sync[0]) != 'p') return 125;
    save(folder, record);
    must(::send(wires.sync[0], "r", 1, MSG_NOSIGNAL), "send");
    pollfd executed{wires.report[0], POLLIN, 0};
    must(::poll(&executed, 1, -1), "poll");
    const int status = supervise(wires, pidfd, signals, "/var/log/guard/" + name + ".log");
    if (bridge)
        for (auto made = network.will_make.rbegin(); made != network.will_make.rend(); ++made)
            static_cast<void>(guard::launcher::undo_network(*made));
    remove_cgroups(name);
    for (const auto* file : {"/record.json", "/lock"}) ::unlink((folder + file).c_str());
    must(::rmdir(folder.c_str()), "rmdir");
    return status;
}
