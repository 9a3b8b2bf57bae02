#pragma once
#include <chrono>
#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace guard {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

enum class Stdin : std::uint8_t { none, keep };
enum class Restart : std::uint8_t { no, on_failure, always };
enum class UserMap : std::uint8_t { automatic, host, explicit_lines };
enum class NetworkMode : std::uint8_t { none, bridge, host, container, pasta, macvlan };
enum class HealthCheck : std::uint8_t { none, tcp, http, minecraft, command };
enum class HealthAction : std::uint8_t { restart, stop, report };

struct Health {
    HealthCheck check = HealthCheck::none;
    std::uint16_t port = 0;
    std::string url;
    std::vector<std::string> command;
    milliseconds interval = 30s, timeout = 5s, start_period = 2min;
    unsigned failures = 3;
    HealthAction on_failure = HealthAction::restart;
};

/// Where the bytes of one file under /run/secrets come from: exactly one of the three is set.
struct Secret {
    std::string file;
    std::vector<std::string> command;
    std::string credential;
};

/// How the own network is joined to the world; what may pass is Posture::network.
struct NetworkSetup {
    NetworkMode mode = NetworkMode::none;
    std::string container;  ///< mode container:NAME
    std::string hostname;   ///< empty: the container's name
    std::string parent = "eth0";
    std::string bridge = "guard0";
    std::vector<std::string> address;  ///< empty: chosen, stable over restarts
    bool ipv6 = true;
    std::vector<std::string> dns;  ///< empty: the host's
};

/// Of the user map: what is not a right but a choice of numbers.
struct UserSetup {
    UserMap map = UserMap::automatic;
    std::string name = "app";  ///< in the generated passwd
};

/// What a server is and how it lives: everything of a profile that is not a right.
struct Service {
    std::string description;
    std::set<std::string> optional;  ///< features this host may lack: "landlock", "limits.swap"

    std::vector<std::string> command;
    std::string workdir = "/";
    std::map<std::string, std::string> env;
    std::vector<std::string> env_pass;
    Stdin stdin_mode = Stdin::none;

    Restart restart = Restart::no;
    milliseconds restart_delay = 1s;
    unsigned restart_limit = 5;
    std::vector<std::string> stop_command;
    int stop_signal = SIGTERM;
    milliseconds stop_timeout = 10s;
    int reload_signal = SIGHUP;
    std::vector<std::string> depends;
    std::uint64_t log_size = 10ULL << 20U;
    unsigned log_keep = 3;
    Health health;

    UserSetup users;
    NetworkSetup network;
    std::string root = "host";     ///< "host", or an absolute path outside
    std::set<std::string> create;  ///< mounts (by place inside) whose missing source is made
    std::map<std::string, Secret> secrets;
    milliseconds boottime_offset = 0ms, monotonic_offset = 0ms;
    bool landlock = true;
};

}  // namespace guard
