#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/sys.h"
#include "cli/commands.h"
#include "cli/exit_status.h"
#include "cli/output.h"
#include "cli/result.h"
#include "posture/namespaces.h"
#include "report/layout.h"

// Each probe tries the thing itself: a version number or a file says less than the kernel's answer.
namespace guard::cli {
namespace {

enum class State : std::uint8_t { enforced, degraded, missing, unknown };
constexpr std::array<std::string_view, 4> kStates{"enforced", "degraded", "missing", "unknown"};

struct Answer {
    State state;
    std::string found;
    std::string fix;
};

struct Probe {
    std::string_view subject;
    Answer (*ask)();
};

// The errno of `attempt` made in a process of its own, which ends with it; 0 where it worked.
int tried(const std::function<int()>& attempt) {
    const pid_t child = ::fork();
    if (child < 0) return errno;
    if (child == 0) ::_exit(attempt());
    int status = 0;
    if (TEMP_FAILURE_RETRY(::waitpid(child, &status, 0)) < 0) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int tried_unshare(std::uint64_t flags) {
    return tried([flags] { return ::unshare(static_cast<int>(flags)) == 0 ? 0 : errno; });
}

Answer ask_kernel() {
    utsname name{};
    if (::uname(&name) < 0) return {State::unknown, std::strerror(errno), ""};
    return {State::enforced, fmt::format("{} {} on {}", name.sysname, name.release, name.machine), ""};
}

Answer ask_namespaces() {
    // Without root the others are had only together with an own user namespace. user_namespaces(7)
    const std::uint64_t with = ::geteuid() == 0 ? 0 : CLONE_NEWUSER;
    std::vector<std::string> refused;
    for (const auto& row : kNamespaces)
        if (const int error = tried_unshare(row.clone_flag | with); error != 0)
            refused.push_back(fmt::format("{} ({})", row.name, std::strerror(error)));
    if (refused.empty()) return {State::enforced, fmt::format("all {}", kNamespaces.size()), ""};
    return {State::missing, "refused: " + report::listed(refused),
            "sysctl user shows the limits of namespaces"};
}

Answer ask_filter() {
    const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
    if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
        return {State::enforced, "system call filters; a foreign ABI ends the process", ""};
    return {State::missing, fmt::format("system call filters: {}", std::strerror(errno)),
            "a kernel with CONFIG_SECCOMP_FILTER"};
}

Answer ask_landlock() {
    constexpr unsigned kVersionFlag = 1;  // LANDLOCK_CREATE_RULESET_VERSION
    constexpr long kPorts = 4;            // the first ABI with TCP ports
    const long abi = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, kVersionFlag);
    if (abi >= kPorts) return {State::enforced, fmt::format("Landlock version {}", abi), ""};
    if (abi > 0)
        return {State::degraded, fmt::format("Landlock version {}: files yes, ports need {}", abi, kPorts),
                "a newer kernel; ports are held by the network's rules all the same"};
    return {State::missing, fmt::format("Landlock: {}", std::strerror(errno)),
            "add landlock to the list in lsm= of the kernel's command line"};
}

Answer ask_mounts() {
    // With nothing to work on, a kernel that has the call finds fault with the arguments. mount_setattr(2)
    if (::syscall(SYS_mount_setattr, -1, "", 0, nullptr, 0) < 0 && errno == ENOSYS)
        return {State::missing, "mounts with other owners (idmap) need Linux 5.12", "a newer kernel"};
    if (const int error = tried([] { return ::syscall(SYS_fsopen, "tmpfs", 0) >= 0 ? 0 : errno; });
        error != 0)
        return {::geteuid() == 0 ? State::missing : State::unknown,
                fmt::format("mounts by descriptor: {}", std::strerror(error)), ""};
    return {State::enforced, "mounts by descriptor, with other owners (idmap)", ""};
}

Answer ask_processes() {
    const auto handle = sys::pidfd_open(::getpid());
    if (!handle) return {State::missing, describe(handle.error()), "a newer kernel"};
    return {State::enforced, "processes are held by descriptor", ""};
}

// The controllers of this machine by hierarchy. cgroups(7)
Answer ask_limits() {
    std::ifstream file("/proc/self/mountinfo");
    std::vector<std::string> v1;
    bool v2 = false;
    for (std::string line; std::getline(file, line);) {
        const auto dash = line.find(" - ");
        if (dash == std::string::npos) continue;
        v2 = v2 || line.compare(dash + 3, 8, "cgroup2 ") == 0;
        if (line.compare(dash + 3, 7, "cgroup ") != 0) continue;
        for (const auto* name : {"memory", "cpu", "pids", "cpuset", "devices", "blkio"})
            if (("," + line.substr(line.rfind(' ') + 1) + ",").find(fmt::format(",{},", name)) !=
                std::string::npos)
                v1.emplace_back(name);
    }
    const auto v1_text = report::listed(v1);
    if (v1.empty() && !v2)
        return {State::missing, "no cgroup hierarchy is mounted", "mount -t cgroup2 none /sys/fs/cgroup"};
    if (v1.empty()) {
        const auto controllers = sys::read_file("/sys/fs/cgroup/cgroup.controllers");
        return {State::enforced,
                "cgroup v2: " + (controllers ? controllers->substr(0, controllers->find('\n')) : ""), ""};
    }
    return {State::enforced, fmt::format("cgroup {}: {}", v2 ? "hybrid" : "v1", v1_text), ""};
}

// One question that every nf_tables answers: the number of its generation.
Answer ask_network() {
    const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    const Answer missing{State::missing, "network mode bridge needs nf_tables in the kernel",
                         "sudo modprobe nf_tables"};
    if (!socket) return missing;
    struct {
        nlmsghdr head;
        nfgenmsg body;
    } question{};
    question.head.nlmsg_len = sizeof question;
    question.head.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN;
    question.head.nlmsg_flags = NLM_F_REQUEST;
    pollfd wait{socket.get(), POLLIN, 0};
    std::array<char, 4096> reply{};
    if (::send(socket.get(), &question, sizeof question, 0) < 0 || ::poll(&wait, 1, 1000) != 1)
        return missing;
    const auto size = ::recv(socket.get(), reply.data(), reply.size(), 0);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(nlmsgerr) - sizeof(nlmsghdr))) return missing;
    nlmsghdr head{};
    std::memcpy(&head, reply.data(), sizeof head);
    if (head.nlmsg_type != NLMSG_ERROR) return {State::enforced, "own network with nf_tables", ""};
    nlmsgerr error{};
    std::memcpy(&error, reply.data() + sizeof head, sizeof error);
    if (error.error == -EPERM) return {State::unknown, "only root may ask nf_tables", "sudo guard doctor"};
    return missing;
}

Answer ask_memfd() {
    if (::access("/proc/sys/vm/memfd_noexec", F_OK) == 0)
        return {State::enforced, "files in memory can be held from being run", ""};
    return {State::degraded, "files in memory may be run (vm.memfd_noexec needs Linux 6.3)",
            "a newer kernel"};
}

Answer ask_rights() {
    if (::geteuid() == 0) return {State::enforced, "as root: every part of a profile can be applied", ""};
    return {State::missing, "guard launch needs root today", "sudo guard launch --profile P"};
}

constexpr auto kProbes = std::to_array<Probe>({
    {"kernel", ask_kernel},
    {"rights", ask_rights},
    {"namespaces", ask_namespaces},
    {"filter", ask_filter},
    {"file rules", ask_landlock},
    {"mounts", ask_mounts},
    {"processes", ask_processes},
    {"limits", ask_limits},
    {"network", ask_network},
    {"memory files", ask_memfd},
});

using Answers = std::vector<std::pair<std::string_view, Answer>>;

std::string_view state_name(State state) { return kStates.at(static_cast<std::size_t>(state)); }

std::string answers_text(const Answers& answers) {
    std::string text;
    for (const auto& [subject, answer] : answers) {
        text += report::hanging(fmt::format("{:<9} {}", state_name(answer.state), subject), 26, answer.found);
        if (!answer.fix.empty()) text += report::hanging(std::string(10, ' ') + "do", 26, answer.fix);
    }
    return text;
}

std::string answers_json(const Answers& answers) {
    using Json = nlohmann::ordered_json;
    auto list = Json::array();
    for (const auto& [subject, answer] : answers)
        list.push_back({{"subject", subject},
                        {"state", state_name(answer.state)},
                        {"found", answer.found},
                        {"fix", answer.fix}});
    return Json{{"guard", 1}, {"host", list}}.dump(2) + "\n";
}

}  // namespace

int run_doctor(const Invocation& invocation) {
    Answers answers;
    int status = kDone;
    for (const auto& probe : kProbes) {
        answers.emplace_back(probe.subject, probe.ask());
        if (answers.back().second.state == State::missing) status = kFailed;
    }
    return give_result(invocation, status, [&](std::string_view format, report::Colour) {
        return format == "json" ? answers_json(answers) : answers_text(answers);
    });
}

}  // namespace guard::cli
