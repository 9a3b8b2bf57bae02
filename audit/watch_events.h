#pragma once
#include <poll.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/unique_fd.h"
#include "posture/record.h"

namespace guard::audit {

/// What the kernel tells by itself of some containers: their first process ends, a mount comes or goes, a
/// limit is written or a process moved into their cgroup, a packet rule changes, a process forks, executes or
/// ends. Each source that is not to be had here is left out: a look now and then sees the same, later.
class WatchEvents {
public:
    /// `state`: the folder of launch records, where containers come and go.
    [[nodiscard]] static Result<WatchEvents> open(const std::string& state);

    /// Listens for these containers from now on.
    void follow(const std::vector<const Record*>& live);
    /// What to poll(2) for. Not through epoll(7): a poll of mountinfo tells a change only once, and it would
    /// be the one that epoll does for itself.
    [[nodiscard]] std::vector<pollfd> descriptors() const;

    struct Told {
        bool changed = false;          ///< something of a container, or events that were lost
        std::vector<pid_t> processes;  ///< that did something, anywhere on this machine
    };
    /// Takes what is there, as a poll of descriptors() found; never waits.
    [[nodiscard]] Told take(std::span<const pollfd> polled);
    /// The sources that could not be opened, each with why; for --verbose.
    [[nodiscard]] const std::vector<std::string>& missing() const { return missing_; }

private:
    enum class Source : std::uint8_t { files, packet_rules, processes, mounts, end };
    void watch_folder(const std::string& folder);
    void follow_process(pid_t init);
    static void read(int fd, Source kind, Told& told);

    struct Listened {
        UniqueFd fd;
        Source kind;
        bool told = false;  ///< of an end: it stays readable
    };
    int files_ = -1;  ///< the inotify descriptor among `listened_`
    std::vector<Listened> listened_;
    std::size_t always_ = 0;    ///< how many of them are not of a container
    std::vector<int> watches_;  ///< of files_, for containers
    std::vector<std::string> missing_;
};

}  // namespace guard::audit
