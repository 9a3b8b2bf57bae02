// proc_floor REPEATS: what reading the processes of this machine costs at least, for tests/bench/audit.
//
// For each: a pidfd, one folder, status, cgroup, the links of ten namespaces, limits, oom_score_adj, program and
// root; maps and mounts once a namespace. Nothing is understood, kept or compared. Prints the median and the least
// time of a pass in milliseconds, and the number of processes.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

namespace {

constexpr std::array<const char*, 10> kNamespaces{"ns/cgroup", "ns/ipc",
                                                  "ns/mnt",    "ns/net",
                                                  "ns/pid",    "ns/pid_for_children",
                                                  "ns/time",   "ns/time_for_children",
                                                  "ns/user",   "ns/uts"};
constexpr std::size_t kMount = 2, kUser = 8;

struct Pass {
    std::unordered_set<std::string> mounts, users;
    std::size_t processes = 0;
    std::array<char, 1U << 20U> buffer{};

    void read(int folder, const char* name) {
        const int fd = ::openat(folder, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return;
        static_cast<void>(::read(fd, buffer.data(), buffer.size()));
        ::close(fd);
    }
    std::string link(int folder, const char* name) {
        const auto size = ::readlinkat(folder, name, buffer.data(), buffer.size());
        return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
    }
    void process(int pid) {
        const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
        const int folder =
            ::open(("/proc/" + std::to_string(pid)).c_str(), O_DIRECTORY | O_PATH | O_CLOEXEC);
        if (pidfd >= 0 && folder >= 0) facts(folder);
        if (pidfd >= 0) ::syscall(SYS_pidfd_send_signal, pidfd, 0, nullptr, 0);  // still the same one?
        ::close(folder);
        ::close(pidfd);
    }
    void facts(int folder) {
        ++processes;
        read(folder, "status");
        read(folder, "cgroup");
        std::array<std::string, kNamespaces.size()> links;
        for (std::size_t at = 0; at < links.size(); ++at) links[at] = link(folder, kNamespaces[at]);
        if (users.insert(links[kUser]).second)
            for (const auto* file : {"uid_map", "gid_map", "setgroups"}) read(folder, file);
        if (mounts.insert(links[kMount]).second) read(folder, "mountinfo");
        read(folder, "limits");
        read(folder, "oom_score_adj");
        static_cast<void>(link(folder, "exe"));
        static_cast<void>(link(folder, "root"));
    }
};

std::size_t one_pass() {
    static Pass pass;
    pass.mounts.clear();
    pass.users.clear();
    pass.processes = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        int pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error == std::errc{} && end == name.data() + name.size()) pass.process(pid);
    }
    return pass.processes;
}

}  // namespace

int main(int count, char** words) {
    const int repeats = count > 1 ? std::atoi(words[1]) : 5;
    std::vector<double> times;
    std::size_t processes = 0;
    for (int repeat = 0; repeat < repeats; ++repeat) {
        const auto begin = std::chrono::steady_clock::now();
        processes = one_pass();
        times.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    if (times.empty()) return 2;
    std::ranges::sort(times);
    std::printf("%.2f %.2f %zu\n", times[times.size() / 2], times.front(), processes);
}
