#include "audit/hostname.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/sys.h"

namespace guard::audit {
namespace {

// What the child sends: an errno, then the name. Below PIPE_BUF, so it arrives whole. pipe(7)
struct Answer {
    int error = 0;
    std::array<char, sizeof(utsname::nodename)> name{};
};

[[noreturn]] void answer(int uts_namespace, int to) noexcept {
    Answer sent;
    utsname names{};
    if (::setns(uts_namespace, CLONE_NEWUTS) < 0 || ::uname(&names) < 0) sent.error = errno;
    std::memcpy(sent.name.data(), static_cast<const char*>(names.nodename), sent.name.size());
    ::_exit(::write(to, &sent, sizeof sent) == sizeof sent ? 0 : 1);
}

}  // namespace

Result<std::string> hostname_in(int uts_namespace) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) return fail_errno("make a pipe", errno);
    const UniqueFd from(ends[0]);
    UniqueFd to(ends[1]);
    const auto child = ::fork();
    if (child < 0) return fail_errno("start a process", errno);
    if (child == 0) answer(uts_namespace, to.get());
    to.reset();
    const auto bytes = sys::read_all(from.get(), "the host name");
    TEMP_FAILURE_RETRY(::waitpid(child, nullptr, 0));
    Answer got;
    if (!bytes || bytes->size() != sizeof got) return fail("read the host name", "the answer broke off");
    std::memcpy(&got, bytes->data(), sizeof got);
    if (got.error != 0) return fail_errno("enter its host name's namespace", got.error);
    got.name.back() = '\0';
    return std::string(got.name.data());
}

}  // namespace guard::audit
