#include "audit/hostname.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/utsname.h>

#include <cerrno>
#include <cstdlib>

#include "base/sys.h"

namespace guard::audit {

Result<std::string> hostname_in(int uts_namespace) {
    const auto own = TRY(sys::open("/proc/thread-self/ns/uts", O_RDONLY));
    if (::setns(uts_namespace, CLONE_NEWUTS) < 0) return fail_errno("enter its host name's namespace", errno);
    utsname names{};
    const int error = ::uname(&names) < 0 ? errno : 0;
    // What was allowed to enter is allowed to come back; and nothing goes on under a strange name.
    if (::setns(own.get(), CLONE_NEWUTS) < 0) std::abort();
    if (error != 0) return fail_errno("read the host name", error);
    return std::string(static_cast<const char*>(names.nodename));
}

}  // namespace guard::audit
