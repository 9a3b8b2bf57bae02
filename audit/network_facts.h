#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/proc_net.h"

namespace guard::audit {

/// The ports that something waits at: "25565/tcp", "53/udp"; raw and packet sockets, which see everything, as
/// "raw protocol 1/ip" and "packets of every kind". `folder` is /proc/PID of a task in the network namespace
/// `netns`.
[[nodiscard]] Result<std::set<std::string>> read_listening(int folder, int netns);
/// TCP sockets in LISTEN, asked by sock_diag(7); from files of /proc/PID/net where the kernel doesn't answer,
/// or `netns` can't be entered.
[[nodiscard]] Result<std::vector<ListeningSocket>> read_tcp_listeners(int folder, int netns);
[[nodiscard]] Result<std::set<std::string>> read_interfaces(int folder);
/// "0.0.0.0/0 via 10.88.0.1 on eth0".
[[nodiscard]] Result<std::set<std::string>> read_route_words(int folder);
/// Tables of a packet filter in the namespace: "nft inet x", "iptables nat".
[[nodiscard]] Result<std::set<std::string>> read_filter_tables(int folder, int netns);
/// The rows of kNetworkSettings by name; what this kernel has not is left out.
[[nodiscard]] Result<std::map<std::string, std::string>> read_network_settings(int netns);

}  // namespace guard::audit
