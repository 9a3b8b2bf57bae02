// The server of a container under test: it does what it is told over a socket, so that a drift can be made
// from inside, by a program that the container's own filter holds. Started with an argument it only sleeps.
//
// One message a command, perhaps with a descriptor; one as the answer: "0", or the errno. "in-thread COMMAND"
// is done by the second of its two threads, so that one thread alone is what it was not.

#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr const char* kSocket = "/srv/minecraft/drift.sock";
constexpr std::size_t kPage = 4096;

struct Command {
    std::string verb, rest;
    int fd = -1;
};

std::vector<int> held;
std::vector<pid_t> children;
void* mapping = nullptr;

int outcome(long value) { return value < 0 ? errno : 0; }

int run(const Command& command, const char* path, std::vector<const char*> environment) {
    environment.push_back(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        const char* const arguments[]{"drifter", "sleep", nullptr};
        ::execve(path, const_cast<char* const*>(arguments), const_cast<char* const*>(environment.data()));
        ::_exit(errno);
    }
    children.push_back(child);
    if (command.fd >= 0) ::close(command.fd);
    return outcome(child);
}

int hold(const Command& command) {
    held.push_back(command.fd);
    return command.fd < 0 ? EBADF : 0;
}
int drop(const Command&) {
    for (const int fd : held) ::close(fd);
    held.clear();
    return 0;
}
int change_directory(const Command& command) {
    if (command.fd < 0) return outcome(::chdir(command.rest.c_str()));
    const int error = outcome(::fchdir(command.fd));
    ::close(command.fd);
    return error;
}
int call_itself(const Command& command) { return outcome(::prctl(PR_SET_NAME, command.rest.c_str())); }
int set_dumpable(const Command& command) {
    return outcome(::prctl(PR_SET_DUMPABLE, command.rest == "1" ? 1 : 0));
}
int map_both(const Command&) {
    mapping = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mapping == MAP_FAILED ? errno : 0;
}
int map_code(const Command& command) {
    const int file = ::open(command.rest.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return errno;
    mapping = ::mmap(nullptr, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0);
    ::close(file);
    return mapping == MAP_FAILED ? errno : 0;
}
int unmap(const Command&) { return outcome(::munmap(mapping, kPage)); }
int start_program(const Command& command) { return run(command, command.rest.c_str(), {}); }
int start_with_preload(const Command& command) {
    return run(command, command.rest.c_str(), {"LD_PRELOAD=/secret-value.so"});
}
int start_descriptor(const Command& command) {
    return run(command, ("/proc/self/fd/" + std::to_string(command.fd)).c_str(), {});
}
int end_children(const Command&) {
    for (const pid_t child : children) {
        const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
        ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
        ::close(pidfd);
        ::waitpid(child, nullptr, 0);
    }
    children.clear();
    return 0;
}
int connect_to(const Command& command) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) return errno;
    sockaddr_un address{AF_UNIX, {}};
    command.rest.copy(address.sun_path, sizeof address.sun_path - 1);
    held.push_back(socket);
    return outcome(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address));
}
[[noreturn]] void sleep_for_ever() {
    for (;;) ::pause();
}
// What a child has from its parent, the connection that waits for an answer among it.
void close_all() {
    constexpr int kMost = 64;
    for (int fd = 3; fd < kMost; ++fd) ::close(fd);
}

// A child that becomes something and stays until it is told to end.
int become(const std::function<int()>& act) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) return errno;
    const pid_t child = ::fork();
    if (child == 0) {
        const int error = act();
        static_cast<void>(::write(ends[1], &error, sizeof error));
        close_all();
        sleep_for_ever();
    }
    ::close(ends[1]);
    children.push_back(child);
    int error = 0;
    if (::read(ends[0], &error, sizeof error) != sizeof error) error = ECHILD;
    ::close(ends[0]);
    return error;
}
struct CapabilitySets {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    int get() { return outcome(::syscall(SYS_capget, &header, sets.data())); }
    int set() { return outcome(::syscall(SYS_capset, &header, sets.data())); }
};
// All that a user namespace gives: every right, also to hand on, and ids of its own.
int nest_here() {
    const auto own_id = "0 " + std::to_string(::getuid()) + " 1\n";
    if (::unshare(CLONE_NEWUSER) < 0) return errno;
    const int map = ::open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    if (::write(map, own_id.data(), own_id.size()) < 0) return errno;
    CapabilitySets caps;
    if (const int error = caps.get(); error != 0) return error;
    for (auto& set : caps.sets) set.inheritable = set.permitted;
    if (const int error = caps.set(); error != 0) return error;
    return outcome(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
}
int nest(const Command&) { return become(nest_here); }
int nest_clocks(const Command& command) {
    return become([&command] {
        if (::unshare(CLONE_NEWUSER | CLONE_NEWTIME) < 0) return errno;
        const int offsets = ::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC);
        const auto text = "boottime " + command.rest + " 0\n";
        if (::write(offsets, text.data(), text.size()) < 0) return errno;
        const pid_t child = ::fork();  // children are in the new one
        if (child == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            close_all();
            sleep_for_ever();
        }
        return outcome(child);
    });
}
int take_terminal(const Command& command) {
    const int error = become([&command] {
        if (::setsid() < 0) return errno;
        return outcome(::ioctl(command.fd, TIOCSCTTY, 0));
    });
    ::close(command.fd);
    return error;
}
int set_personality(const Command& command) {
    return outcome(::syscall(SYS_personality, std::strtoul(command.rest.c_str(), nullptr, 16)));
}
// The first thread ends alone, and the process lives on behind it.
int start_hidden(const Command&) {
    const pid_t child = ::fork();
    if (child == 0) {
        close_all();
        std::thread(sleep_for_ever).detach();
        ::syscall(SYS_exit, 0);
    }
    children.push_back(child);
    return outcome(child);
}

// Of the calling thread alone, as all below: libc's own functions would ask every thread to do the same.
int lay_down_rights(const Command&) {
    CapabilitySets caps;
    if (const int error = caps.get(); error != 0) return error;
    for (auto& set : caps.sets) set.effective = 0;
    return caps.set();
}
int take_up_rights(const Command&) {
    CapabilitySets caps;
    if (const int error = caps.get(); error != 0) return error;
    for (auto& set : caps.sets) set.effective = set.permitted;
    return caps.set();
}
int become_user(const Command& command) {
    const auto id = std::strtoul(command.rest.c_str(), nullptr, 10);
    return outcome(::syscall(SYS_setresuid, id, id, -1L));
}
int become_group(const Command& command) {
    const auto id = std::strtoul(command.rest.c_str(), nullptr, 10);
    return outcome(::syscall(SYS_setresgid, id, id, -1L));
}
int join_group(const Command& command) {
    const auto id = static_cast<gid_t>(std::strtoul(command.rest.c_str(), nullptr, 10));
    return outcome(::syscall(SYS_setgroups, command.rest.empty() ? 0 : 1, &id));
}
// The network of the first thread is that of the process.
int leave_network(const Command&) { return outcome(::unshare(CLONE_NEWNET)); }
int join_network(const Command&) {
    const int network = ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    if (network < 0) return errno;
    const int error = outcome(::setns(network, CLONE_NEWNET));
    ::close(network);
    return error;
}
int take_label(const Command& command) {
    const int file = ::open("/proc/thread-self/attr/apparmor/current", O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    const int error = outcome(::write(file, command.rest.data(), command.rest.size()));
    ::close(file);
    return error;
}
// Alone with a descriptor: the thread leaves the table that all share, and keeps nothing else of it.
int hold_alone(const Command& command) {
    if (::unshare(CLONE_FILES) < 0) return errno;
    const auto fd = static_cast<unsigned>(command.fd);
    ::close_range(3, fd - 1, 0);
    ::close_range(fd + 1, ~0U, 0);
    return hold(command);
}
int in_thread(const Command& command);

// As many short-lived processes as a second and a half holds; how many is noted in a file.
int storm(const Command& command) {
    const pid_t child = ::fork();
    if (child != 0) return outcome(child);
    close_all();
    constexpr int kBorn = 3'000;
    const auto begin = std::chrono::steady_clock::now();
    for (int born = 0; born < kBorn; ++born) {
        const pid_t brief = ::fork();
        if (brief == 0) ::_exit(0);
        ::waitpid(brief, nullptr, 0);
    }
    const int file = ::open(command.rest.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const auto text = std::to_string(static_cast<int>(kBorn / took.count()));
    ::_exit(::write(file, text.data(), text.size()) < 0 ? 1 : 0);
}

int copy_program(const Command& command) {
    const auto blank = command.rest.find(' ');
    const int from = ::open(command.rest.substr(0, blank).c_str(), O_RDONLY | O_CLOEXEC);
    const int to = ::open(command.rest.substr(blank + 1).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    std::vector<char> bytes(16U << 20U);
    const auto size = ::read(from, bytes.data(), bytes.size());
    const int error = size < 0 ? errno : outcome(::write(to, bytes.data(), static_cast<std::size_t>(size)));
    ::close(from);
    ::close(to);
    return error;
}
int remove_file(const Command& command) { return outcome(::unlink(command.rest.c_str())); }

struct VerbRow {
    const char* verb;
    int (*run)(const Command&);
};
constexpr VerbRow kVerbs[] = {
    {"hold", hold},
    {"drop", drop},
    {"chdir", change_directory},
    {"name", call_itself},
    {"dumpable", set_dumpable},
    {"map-both", map_both},
    {"map-code", map_code},
    {"unmap", unmap},
    {"start", start_program},
    {"start-preloaded", start_with_preload},
    {"start-descriptor", start_descriptor},
    {"end-children", end_children},
    {"connect", connect_to},
    {"nest", nest},
    {"nest-clocks", nest_clocks},
    {"terminal", take_terminal},
    {"personality", set_personality},
    {"start-hidden", start_hidden},
    {"lay-down-rights", lay_down_rights},
    {"take-up-rights", take_up_rights},
    {"user", become_user},
    {"group", become_group},
    {"groups", join_group},
    {"leave-network", leave_network},
    {"join-network", join_network},
    {"label", take_label},
    {"hold-alone", hold_alone},
    {"in-thread", in_thread},
    {"storm", storm},
    {"copy", copy_program},
    {"remove", remove_file},
};

Command command_in(const std::string& words, int fd) {
    const auto blank = words.find(' ');
    return {words.substr(0, blank), blank == std::string::npos ? "" : words.substr(blank + 1), fd};
}
int obey(const Command& command) {
    for (const auto& row : kVerbs)
        if (command.verb == row.verb) return row.run(command);
    return ENOSYS;
}

// What the second thread is to do, and what came of it.
struct Order {
    std::binary_semaphore given{0}, done{0};
    Command command;
    int error = 0;
};
Order order;

[[noreturn]] void serve_in_thread() {
    for (;;) {
        order.given.acquire();
        order.error = obey(order.command);
        order.done.release();
    }
}
int in_thread(const Command& command) {
    order.command = command_in(command.rest, command.fd);
    order.given.release();
    order.done.acquire();
    // It has one of its own now, which the first thread is to be without.
    if (order.command.verb == "hold-alone") ::close(command.fd);
    return order.error;
}

Command receive(int socket) {
    std::array<char, 4096> text{};
    iovec data{text.data(), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const auto size = ::recvmsg(socket, &message, 0);
    int fd = -1;
    if (const auto* header = CMSG_FIRSTHDR(&message); header != nullptr && header->cmsg_type == SCM_RIGHTS)
        std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return command_in({text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)}, fd);
}

[[noreturn]] void serve(int listening) {
    for (;;) {
        const int socket = ::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
        if (socket < 0) continue;
        const auto command = receive(socket);
        const bool last = command.verb == "end-first-thread";
        const auto answer = std::to_string(last ? 0 : obey(command));
        // Closed before the answer is read, or the next audit would see this connection.
        ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
        ::close(socket);
        // The first thread, which serves, ends alone: a zombie that hides the others.
        if (last) ::syscall(SYS_exit, 0);
    }
}

}  // namespace

int main(int argc, char**) {
    if (argc > 1) sleep_for_ever();
    ::unlink(kSocket);
    const int listening = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listening < 0) return errno;
    sockaddr_un address{AF_UNIX, {}};
    std::strncpy(address.sun_path, kSocket, sizeof address.sun_path - 1);
    if (::bind(listening, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
        ::listen(listening, 4) < 0)
        return errno;
    std::thread(serve_in_thread).detach();
    serve(listening);
}
