#include "base/enter.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>

#include "base/sys.h"

namespace guard {

Result<EnteredNetwork> EnteredNetwork::enter(int netns) {
    auto own = TRY(sys::open("/proc/thread-self/ns/net", O_RDONLY));
    if (::setns(netns, CLONE_NEWNET) < 0) return fail_errno("enter the container's network", errno);
    return EnteredNetwork(std::move(own));
}

// Going on in the container's network would let guard change the wrong host: no way back, no way on.
EnteredNetwork::~EnteredNetwork() {
    if (own_ && ::setns(own_.get(), CLONE_NEWNET) < 0) std::abort();
}

}  // namespace guard
