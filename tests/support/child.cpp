#include "tests/support/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "base/proc_status.h"
#include "base/sys.h"

namespace guard::support {
namespace {

[[noreturn]] void stop_test(const char* why) {
    std::perror(why);
    std::abort();
}

// Of the first thread: a zombie, although its process lives.
bool has_ended(pid_t pid) {
    const auto status =
        parse_proc_status(sys::read_file("/proc/" + std::to_string(pid) + "/status").value_or(""));
    return status && status->state == 'Z';
}

}  // namespace

Child::Child(const std::function<bool()>& become, Leader leader) {
    std::array<int, 2> ready{};
    if (::pipe2(ready.data(), O_CLOEXEC) != 0) stop_test("pipe2");
    pid_ = ::fork();
    if (pid_ == 0) {
        const auto live = [&] {
            if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || !become() || ::write(ready[1], "r", 1) != 1)
                ::_exit(1);
            for (;;) ::pause();
        };
        if (leader == Leader::stays) live();
        std::thread(live).detach();
        ::syscall(SYS_exit, 0);  // of this thread alone
    }
    ::close(ready[1]);
    char byte = 0;
    if (pid_ < 0 || ::read(ready[0], &byte, 1) != 1)
        stop_test("a child could not become what the test needs");
    ::close(ready[0]);
    auto pidfd = sys::pidfd_open(pid_);
    if (!pidfd) stop_test("pidfd_open");
    pidfd_ = *std::move(pidfd);
    while (leader == Leader::ends && !has_ended(pid_))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

Child::~Child() {
    static_cast<void>(sys::pidfd_send_signal(pidfd_.get(), SIGKILL));
    ::waitpid(pid_, nullptr, __WALL);
}

int status_of_child(const std::function<int()>& work) {
    const auto pid = ::fork();
    if (pid == 0) ::_exit(work());
    int status = 0;
    ::waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace guard::support
