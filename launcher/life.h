#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "launcher/cgroup.h"
#include "launcher/state.h"
#include "posture/record.h"

/// The life of a container that was launched: what `guard list`, `status`, `stop` and `logs` do and say.
namespace guard::launcher {

/// Asks the container's supervisor to stop it (SIGTERM whose si_value is the timeout in ms; none: the
/// profile's) and waits until it has. Where the supervisor is dead already, cleans up. Fails where no
/// container has that name, or it does not end.
[[nodiscard]] Result<void> stop(const std::string& name,
                                std::optional<std::chrono::milliseconds> timeout = {});

/// One thing that is limited: now, at its peak, at most. None: the kernel does not tell, or there is no
/// limit.
struct Gauge {
    std::optional<std::uint64_t> now, peak, limit;
};

/// Whether the files a container was launched from say the same today.
enum class Sources : std::uint8_t { unchanged, changed, unreadable };

struct Status {
    std::string name;
    std::string state;                  ///< "preparing", "running", "stopping"; "dead": its supervisor is
    std::chrono::seconds up{0};         ///< since it was started; 0 before that
    std::string profile, digest, file;  ///< name, first 6 digits of the hash, path
    Sources sources = Sources::unchanged;
    std::vector<std::string> changed_files;  ///< changed or unreadable ones
    pid_t pid = 0;                           ///< of the payload, as the host sees it
    std::string command;                     ///< its comm
    std::string user;                        ///< inside
    std::uint32_t host_uid = 0;              ///< who it is outside
    std::optional<std::uint64_t> threads;    ///< of the payload
    Gauge memory;                            ///< bytes
    Gauge cpu;                               ///< millionths of a core; now: over `sample`; peak: not told
    Gauge processes;                         ///< processes and threads
    std::uint64_t oom_kills = 0;
    std::vector<std::string> publish, egress;  ///< as declared
    /// The words of `egress` that are names, with the addresses they stand for now; none where that cannot be
    /// read.
    std::optional<std::map<std::string, std::vector<std::string>>> names;
    std::vector<std::string> addresses;  ///< inside
    std::string data, log;               ///< outside; may be empty
};

/// Every container with a record, by name. `sample`: how long to look for what the cpu does now; 0: not at
/// all.
[[nodiscard]] Result<std::vector<Status>> list(
    std::chrono::milliseconds sample = std::chrono::milliseconds(100));
/// One of them. Fails where none has that name.
[[nodiscard]] Result<Status> status(const std::string& name,
                                    std::chrono::milliseconds sample = std::chrono::milliseconds(100));

enum class Follow : bool { no, yes };
/// Gives what the container wrote to `sink`, raw (log.h has Escaper for terminals), until it returns false.
/// With Follow::yes goes on until the container ends. A container that has ended still has its log. Fails
/// where there is no such log.
[[nodiscard]] Result<void> logs(const std::string& name, Follow follow,
                                const std::function<bool(std::string_view)>& sink);

}  // namespace guard::launcher
