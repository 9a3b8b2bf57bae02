#pragma once
#include <vector>

#include "base/error.h"
#include "base/netlink.h"
#include "base/proc_net.h"

namespace guard {

/// The same sockets as /proc/PID/net/{tcp,tcp6,udp,udp6} tells, of the network namespace that `socket`
/// (protocol NETLINK_SOCK_DIAG) was opened in. Those files walk every connection of the machine, a
/// millisecond and more; this asks for the ones that wait only. Fails with ENOENT where the kernel has no
/// such answer. sock_diag(7)
[[nodiscard]] Result<std::vector<ListeningSocket>> listening_sockets(netlink::Socket& socket,
                                                                     Transport transport);

}  // namespace guard
