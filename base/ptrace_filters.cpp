#include "base/ptrace_filters.h"

#include <linux/filter.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

#include "base/proc_stat.h"
#include "base/sys.h"

namespace guard {
namespace {

std::unexpected<Error> refused(int code) {
    const char* fix = "";
    if (code == EACCES) fix = "it needs CAP_SYS_ADMIN, and a reader without a filter of its own";
    if (code == EPERM) fix = "it needs CAP_SYS_PTRACE, and a thread that nobody else traces";
    return fail_errno("read a filter by ptrace", code, fix);
}

/// A thread that is seized, for as long as this lives.
class Tracee {
public:
    explicit Tracee(pid_t tid) : tid_(tid) {}
    Tracee(const Tracee&) = delete;
    Tracee& operator=(const Tracee&) = delete;
    // A signal that stopped it on its way is still to be delivered.
    ~Tracee() { ::ptrace(PTRACE_DETACH, tid_, nullptr, signal_); }

    /// Waits until it stands still.
    Result<void> stop();
    [[nodiscard]] Result<std::vector<std::string>> filters() const;

private:
    pid_t tid_;
    unsigned long signal_ = 0;
};

Result<void> Tracee::stop() {
    if (::ptrace(PTRACE_INTERRUPT, tid_, nullptr, nullptr) != 0) return refused(errno);
    int status = 0;
    const auto waited = TEMP_FAILURE_RETRY(::waitpid(tid_, &status, __WALL));
    if (waited != tid_ || !WIFSTOPPED(status)) return refused(ESRCH);
    if (status >> 16 == 0) signal_ = static_cast<unsigned long>(WSTOPSIG(status));
    return {};
}

Result<std::vector<std::string>> Tracee::filters() const {
    std::vector<std::string> oldest_first;
    for (unsigned long index = 0;; ++index) {
        const auto length = ::ptrace(PTRACE_SECCOMP_GET_FILTER, tid_, index, nullptr);
        if (length < 0 && errno == ENOENT) break;  // there are no more
        if (length < 0) return refused(errno);
        std::string bytes(static_cast<std::size_t>(length) * sizeof(sock_filter), '\0');
        if (::ptrace(PTRACE_SECCOMP_GET_FILTER, tid_, index, bytes.data()) != length) return refused(errno);
        oldest_first.push_back(std::move(bytes));
    }
    std::ranges::reverse(oldest_first);
    return oldest_first;
}

}  // namespace

Result<std::vector<std::string>> filters_by_ptrace(pid_t tid, std::uint64_t start) {
    if (::ptrace(PTRACE_SEIZE, tid, nullptr, nullptr) != 0) return refused(errno);
    Tracee tracee(tid);
    // While it is seized its number can't become another's.
    const auto stat = TRY(sys::read_file("/proc/" + std::to_string(tid) + "/stat"));
    if (TRY(parse_proc_stat(stat)).start != start) return refused(ESRCH);
    CHECK(tracee.stop());
    return tracee.filters();
}

}  // namespace guard
