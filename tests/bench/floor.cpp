// The least that any launcher has to do for the isolation guard promises, without reading a profile: seven
// namespaces, a root of its own, no capability, no new privileges, a linear filter of 300 compares. It
// measures what the kernel costs.
//
//   bench_floor ROOT COMMAND [ARG...]
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

void must(long result, const char* what) {
    if (result >= 0) return;
    std::perror(what);
    ::_exit(125);
}

void write_map(long pid, const char* file) {
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%ld/%s", pid, file);
    const int fd = ::open(path.data(), O_WRONLY | O_CLOEXEC);
    must(fd, file);
    must(::write(fd, "0 0 1\n", 6), file);
    ::close(fd);
}

void enter_root(const char* root) {
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), "private");
    must(::mount(root, root, nullptr, MS_BIND | MS_REC, nullptr), "bind");
    must(::chdir(root), "chdir");
    must(::mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k"), "dev");
    must(::mount("tmpfs", "tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"), "tmp");
    must(::mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr), "proc");
    must(::syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(::umount2(".", MNT_DETACH), "umount");
    must(::chdir("/"), "chdir");
}

void drop_rights() {
    for (int capability = 0; capability < 64; ++capability)
        if (::prctl(PR_CAPBSET_DROP, capability) < 0) break;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
    must(::syscall(SYS_capset, &header, none.data()), "capset");
}

void load_filter() {
    constexpr unsigned kCalls = 300;
    static std::array<sock_filter, kCalls * 2 + 2> program;
    std::size_t at = 0;
    program[at++] = BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    for (unsigned call = 0; call < kCalls; ++call) {
        program[at++] = BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
        program[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    program[at++] = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    sock_fprog filter{static_cast<unsigned short>(at), program.data()};
    must(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter), "seccomp");
}

[[noreturn]] void child(int go, char** argv) {
    char byte = 0;
    if (::read(go, &byte, 1) != 1) ::_exit(125);
    must(::sethostname("box", 3), "sethostname");
    enter_root(argv[1]);
    drop_rights();
    load_filter();
    char path[] = "PATH=/bin";
    std::array<char*, 2> environment{path, nullptr};
    ::execve(argv[2], argv + 2, environment.data());
    std::perror("execve");
    ::_exit(127);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    std::array<int, 2> go{};
    must(::pipe2(go.data(), O_CLOEXEC), "pipe");
    int pidfd = -1;
    clone_args arguments{};
    arguments.flags = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWNS |
                      CLONE_NEWUTS | CLONE_NEWCGROUP | CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    arguments.exit_signal = SIGCHLD;
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    must(pid, "clone3");
    if (pid == 0) child(go[0], argv);
    write_map(pid, "uid_map");
    write_map(pid, "gid_map");
    must(::write(go[1], "x", 1), "start");
    siginfo_t ended{};
    must(::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &ended, WEXITED), "wait");
    return ended.si_code == CLD_EXITED ? ended.si_status : 128 + ended.si_status;
}
