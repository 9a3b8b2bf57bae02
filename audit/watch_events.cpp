#include "audit/watch_events.h"

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/cgroup_layout.h"
#include "base/proc_events.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

constexpr std::uint32_t kWritten =
    IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_CLOSE_WRITE | IN_ATTRIB;

// The changes of packet rules in this network namespace. linux/netfilter/nfnetlink.h
Result<UniqueFd> open_packet_rules() {
    UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
    if (!socket) return fail_errno("listen to changes of packet rules", errno);
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1U << (NFNLGRP_NFTABLES - 1U);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0)
        return fail_errno("listen to changes of packet rules", errno);
    return socket;
}

}  // namespace

Result<WatchEvents> WatchEvents::open(const std::string& state) {
    WatchEvents events;
    const auto add = [&events](Result<UniqueFd> source, Source kind) {
        if (source)
            events.listened_.push_back({*std::move(source), kind});
        else
            events.missing_.push_back(describe(source.error()));
    };
    UniqueFd files(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!files) return fail_errno("watch files", errno);
    events.files_ = files.get();
    events.listened_.push_back({std::move(files), Source::files});
    static_cast<void>(::inotify_add_watch(events.files_, state.c_str(), kWritten));
    add(open_packet_rules(), Source::packet_rules);
    add(open_proc_events(), Source::processes);
    events.always_ = events.listened_.size();
    return events;
}

void WatchEvents::watch_folder(const std::string& folder) {
    const auto watch = ::inotify_add_watch(files_, folder.c_str(), kWritten);
    if (watch >= 0) watches_.push_back(watch);
}

void WatchEvents::follow_process(pid_t init) {
    if (auto end = sys::pidfd_open(init)) listened_.push_back({*std::move(end), Source::end});
    // Its mounts are of its mount namespace; a poll of the file tells each change. proc_pid_mountinfo(5)
    if (auto mounts = sys::open("/proc/" + std::to_string(init) + "/mountinfo", O_RDONLY))
        listened_.push_back({*std::move(mounts), Source::mounts});
}

void WatchEvents::follow(const std::vector<const Record*>& live) {
    for (const auto watch : watches_) ::inotify_rm_watch(files_, watch);
    watches_.clear();
    listened_.erase(listened_.begin() + static_cast<std::ptrdiff_t>(always_), listened_.end());
    const auto layout = find_cgroup_layout();
    for (const auto* record : live) {
        follow_process(record->bindings.init.pid);
        if (!layout) continue;
        for (const auto& [controller, path] : record->bindings.cgroups)
            if (const auto folder = cgroup_folder(*layout, controller, path)) watch_folder(*folder);
    }
}

void WatchEvents::read(int fd, Source kind, Told& told) {
    if (kind == Source::end || kind == Source::mounts) {
        told.changed = true;
        return;
    }
    std::array<char, 16'384> buffer{};
    for (;;) {
        const auto size = TEMP_FAILURE_RETRY(::read(fd, buffer.data(), buffer.size()));
        // ENOBUFS: some were lost, nobody knows which.
        if (size < 0 && errno == ENOBUFS) told.changed = true;
        if (size < 0 && errno == ENOBUFS) continue;
        if (size <= 0) return;
        if (kind != Source::processes) told.changed = true;
        if (kind != Source::processes) continue;
        const auto all = processes_in_events({buffer.data(), static_cast<std::size_t>(size)});
        told.processes.insert(told.processes.end(), all.begin(), all.end());
    }
}

std::vector<pollfd> WatchEvents::descriptors() const {
    std::vector<pollfd> all;
    for (const auto& source : listened_)
        if (!source.told)
            all.push_back(
                {source.fd.get(), static_cast<short>(source.kind == Source::mounts ? POLLPRI : POLLIN), 0});
    return all;
}

WatchEvents::Told WatchEvents::take(std::span<const pollfd> polled) {
    Told told;
    for (const auto& ready : polled) {
        if (ready.revents == 0) continue;
        const auto source =
            std::ranges::find(listened_, ready.fd, [](const auto& one) { return one.fd.get(); });
        if (source == listened_.end()) continue;
        source->told = source->kind == Source::end;
        read(ready.fd, source->kind, told);
    }
    return told;
}

}  // namespace guard::audit
