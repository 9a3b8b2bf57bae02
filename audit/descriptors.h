#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "posture/namespaces.h"

/// What a process holds open that matters to others: sockets that wait for peers, and namespaces.
namespace guard::audit {

/// Sockets that wait for peers in one network namespace, by inode: "any:443/tcp", "localhost:631/tcp",
/// "/run/docker.sock", "@abstract".
using Listeners = std::map<std::uint64_t, std::string>;
/// Those of the network namespace `netns`, -1 where it is not held, of the task with this folder.
/// proc_pid_net(5)
[[nodiscard]] Result<Listeners> read_listeners(int folder, int netns);

struct HeldNamespace {
    const NamespaceRow* row = nullptr;
    std::uint64_t inode = 0;
    std::string path;  ///< below the folder: "fd/9"
};
struct HeldDescriptors {
    std::vector<std::uint64_t> sockets;  ///< inodes
    std::vector<HeldNamespace> namespaces;
};
/// Fails with the errno of opening the list. A descriptor that is closed meanwhile is left out.
[[nodiscard]] Result<HeldDescriptors> read_descriptors(int folder);

/// "net:[4026531840]" -> the row of the network namespace and the inode; a null row where it is no namespace.
[[nodiscard]] HeldNamespace namespace_in_link(std::string_view link);

}  // namespace guard::audit
