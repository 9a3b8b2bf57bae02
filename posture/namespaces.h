#pragma once
#include <sched.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif

namespace guard {

/// One row a type of namespace. namespaces(7)
struct NamespaceRow {
    std::string_view name;   ///< as profiles write it: "mount"
    std::string_view entry;  ///< its file under /proc/PID/ns: "mnt"
    std::uint64_t clone_flag;
    std::string_view own;   ///< in words, what having an own one means
    std::string_view host;  ///< in words, what sharing the host's means
};
inline constexpr auto kNamespaces = std::to_array<NamespaceRow>({
    {"user", "user", CLONE_NEWUSER, "own user ids; none of them is one of this machine's users",
     "this machine's user ids: root inside is root"},
    {"pid", "pid", CLONE_NEWPID, "sees only its own processes", "sees every process of this machine"},
    {"mount", "mnt", CLONE_NEWNS, "own file tree", "this machine's file tree"},
    {"network", "net", CLONE_NEWNET, "own network",
     "this machine's network, with everything that listens on localhost"},
    {"ipc", "ipc", CLONE_NEWIPC, "own shared memory", "this machine's shared memory"},
    {"uts", "uts", CLONE_NEWUTS, "own host name", "this machine's host name"},
    {"cgroup", "cgroup", CLONE_NEWCGROUP, "sees only its own limits", "sees where this machine's limits are"},
    {"time", "time", CLONE_NEWTIME, "own clock offsets", "clocks in step with this machine"},
});

/// Whose namespace a task is in, told from the container: no number of this boot.
struct Relation {
    enum class To : std::uint8_t {
        own,      ///< made for this container
        peer,     ///< of the container or path `whom`
        nested,   ///< made inside the container by somebody in it
        foreign,  ///< somebody else's
        host,     ///< the machine's: the loosest
    };
    To to = To::host;  ///< what nobody filled in is the loosest
    std::string whom;
    bool operator==(const Relation&) const = default;
};

}  // namespace guard
