#include "tests/support/injected_call.h"

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <cerrno>
#include <utility>

namespace guard::support {
namespace {

constexpr unsigned kSuspendSeccomp = 1U << 21;  // PTRACE_O_SUSPEND_SECCOMP of linux/ptrace.h
constexpr unsigned kLengthOfSyscall = 2;        // 0f 05: where a sleeping task stands is behind it

/// Held and stopped until this ends.
class Stopped {
public:
    static Result<Stopped> at(pid_t task) {
        if (::ptrace(PTRACE_SEIZE, task, nullptr, kSuspendSeccomp) < 0)
            return fail_errno("hold a task", errno);
        Stopped stopped(task);
        if (::ptrace(PTRACE_INTERRUPT, task, nullptr, nullptr) < 0) return fail_errno("stop a task", errno);
        if (!stopped.wait()) return fail_errno("wait for a task", errno);
        return stopped;
    }
    Stopped(Stopped&& other) noexcept : task_(std::exchange(other.task_, 0)) {}
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;
    Stopped& operator=(Stopped&&) = delete;
    ~Stopped() {
        if (task_ != 0) ::ptrace(PTRACE_DETACH, task_, nullptr, nullptr);
    }

    [[nodiscard]] user_regs_struct registers() const {
        user_regs_struct all{};
        ::ptrace(PTRACE_GETREGS, task_, nullptr, &all);
        return all;
    }
    void set(user_regs_struct all) const { ::ptrace(PTRACE_SETREGS, task_, nullptr, &all); }
    [[nodiscard]] bool step() const {
        return ::ptrace(PTRACE_SINGLESTEP, task_, nullptr, nullptr) == 0 && wait();
    }

private:
    explicit Stopped(pid_t task) : task_(task) {}
    [[nodiscard]] bool wait() const { return ::waitpid(task_, nullptr, __WALL) == task_; }
    pid_t task_;
};

}  // namespace

Result<long> call_in(pid_t task, long number, const std::array<unsigned long, 3>& arguments) {
    const auto stopped = TRY(Stopped::at(task));
    const auto before = stopped.registers();
    auto call = before;
    call.rip -= kLengthOfSyscall;
    call.rax = static_cast<unsigned long>(number);
    call.orig_rax = ~0UL;  // or the kernel would begin the old call anew
    call.rdi = arguments[0];
    call.rsi = arguments[1];
    call.rdx = arguments[2];
    stopped.set(call);
    const bool stepped = stopped.step();
    const auto result = static_cast<long>(stopped.registers().rax);
    stopped.set(before);
    if (!stepped) return fail_errno("step through a call", errno);
    if (result < 0) return fail_errno("call in a task", static_cast<int>(-result));
    return result;
}

}  // namespace guard::support
