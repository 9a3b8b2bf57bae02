#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/process.h"
#include "posture/profile.h"

namespace guard {

/// What the words of a posture stood for in one launch.
struct Bindings {
    std::string boot_id;
    TaskId supervisor, init, payload;  ///< pids as seen from the host
    std::map<std::string, std::uint64_t> own,
        host;                     ///< namespace ids by row name of kNamespaces. NS_GET_ID, else inode
    bool ids_are_unique = false;  ///< NS_GET_ID: never reused; else inode numbers
    std::uint32_t uid_base = 0, gid_base = 0, id_count = 0;  ///< the own range; count 0: none
    std::map<std::string, std::string>
        cgroups;  ///< controller ("" on v2) -> path below the mount of that hierarchy
    std::map<std::string, std::string>
        sources;                         ///< "MAJOR:MINOR ROOT" of mountinfo -> the source path it stood for
    std::vector<std::string> addresses;  ///< inside, without prefix length
    std::string veth;                    ///< the host's end
};

/// Why a field of the posture is unknown in a record that does not have it.
inline constexpr std::string_view kNotRecorded =
    "the launch record does not say: an older guard wrote it (stop the container and launch it again)";

/// One thing made on the host, in the order it was made; undone in reverse.
struct Made {
    enum class Kind : std::uint8_t {
        cgroup,
        veth,
        bridge,
        nft_element,
        forwarding,
        route_localnet,
        directory,
        file
    } kind;
    std::string what;    ///< its path or name
    std::string detail;  ///< what undoing needs besides
};

/// The launch record: written before anything is made, completed before the command starts. A container
/// cannot write it.
struct Record {
    std::string name;
    Profile launched;  ///< its posture complete: built-in mounts and protections included
    Posture reaper;    ///< of PID 1
    Bindings bindings;
    std::vector<Made> made;
    std::string filter, reaper_filter;  ///< bytes of the BPF programs
    std::int64_t started = 0;           ///< seconds since 1970; 0: never came up
    std::string stage;                  ///< "preparing", "running", "stopping"
    std::string data;                   ///< {data}, outside
    std::string log;                    ///< its log file; empty where none
};

/// JSON and back; `guard: 1` inside. Reading fails with the path of the member that is wrong.
[[nodiscard]] std::string record_to_json(const Record& record);
[[nodiscard]] Result<Record> record_from_json(const std::string& text);
/// A posture alone, for --dry-run and tests.
[[nodiscard]] std::string posture_to_json(const Posture& posture);
[[nodiscard]] Result<Posture> posture_from_json(const std::string& text);

}  // namespace guard
