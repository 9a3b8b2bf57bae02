#include "base/proc_events.h"

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/netlink.h"

namespace guard {
namespace {

// Who an event is about; 0 for one that says nothing of rights.
pid_t process_of(const proc_event& event) {
    switch (event.what) {
        case proc_event::PROC_EVENT_FORK: return event.event_data.fork.parent_tgid;
        case proc_event::PROC_EVENT_EXEC: return event.event_data.exec.process_tgid;
        case proc_event::PROC_EVENT_UID:
        case proc_event::PROC_EVENT_GID: return event.event_data.id.process_tgid;
        case proc_event::PROC_EVENT_PTRACE: return event.event_data.ptrace.process_tgid;
        case proc_event::PROC_EVENT_EXIT: return event.event_data.exit.process_tgid;
        default: return 0;
    }
}

}  // namespace

Result<UniqueFd> open_proc_events() {
    UniqueFd socket(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
    if (!socket) return fail_errno("open the kernel's process events", errno);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = CN_IDX_PROC;
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return fail_errno("join the kernel's process events", errno);
    cn_msg asked{};
    asked.id = {CN_IDX_PROC, CN_VAL_PROC};
    asked.len = sizeof(proc_cn_mcast_op);
    const auto listen = PROC_CN_MCAST_LISTEN;
    const auto message = netlink::encode(
        {NLMSG_DONE, 0, netlink::bytes_of(asked) + netlink::bytes_of(listen), "listen to process events"}, 0);
    if (::send(socket.get(), message.data(), message.size(), 0) < 0)
        return fail_errno("listen to the kernel's process events", errno);
    return socket;
}

std::vector<pid_t> processes_in_events(std::string_view datagram) {
    std::vector<pid_t> all;
    constexpr auto kHead = sizeof(nlmsghdr) + sizeof(cn_msg);
    while (datagram.size() >= kHead) {
        nlmsghdr header{};
        std::memcpy(&header, datagram.data(), sizeof header);
        if (header.nlmsg_len < kHead || header.nlmsg_len > datagram.size()) break;
        proc_event event{};
        std::memcpy(&event, datagram.data() + kHead,
                    std::min<std::size_t>(sizeof event, header.nlmsg_len - kHead));
        if (const auto process = process_of(event); process > 0) all.push_back(process);
        datagram.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), datagram.size()));
    }
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    return all;
}

}  // namespace guard
