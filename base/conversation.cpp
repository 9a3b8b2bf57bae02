#include "base/conversation.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/split.h"
#include "base/sys.h"

namespace guard {
namespace {

constexpr int kPatience_ms = 30'000;
constexpr std::size_t kLongestLine = 1U << 20U, kMostOutput = 16U << 20U;

Result<std::string> program_path(const std::string& name) {
    const char* path = std::getenv("PATH");
    for (const auto directory : split(path == nullptr ? "/usr/bin:/bin" : path, ':')) {
        if (!directory.starts_with('/')) continue;
        auto candidate = std::string(directory) + "/" + name;
        if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    }
    return fail("run " + name, "it is not on the PATH", "install it: apt-get install " + name);
}

struct Pair {
    UniqueFd theirs, ours;
};
// A socket, for send(2) can be told not to raise SIGPIPE where the program is gone.
Result<Pair> make_pair() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return fail_errno("make a pair of sockets", errno);
    return Pair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

Result<pid_t> spawn(const std::string& path, std::vector<std::string> argv,
                    std::vector<std::string> environment, const std::array<int, 3>& descriptors) {
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    for (int target = 0; target < 3; ++target)
        ::posix_spawn_file_actions_adddup2(&actions, descriptors.at(static_cast<std::size_t>(target)),
                                           target);
    pid_t pid = -1;
    const auto code = ::posix_spawn(&pid, path.c_str(), &actions, nullptr, pointers(argv).data(),
                                    pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (code != 0) return fail_errno("run " + path, code);
    return pid;
}

Result<bool> readable(int fd, const std::string& name) {
    pollfd waited{fd, POLLIN, 0};
    const int ready = TEMP_FAILURE_RETRY(::poll(&waited, 1, kPatience_ms));
    if (ready < 0) return fail_errno("wait for " + name, errno);
    if (ready == 0) return fail("hear from " + name, "it did not answer for 30 seconds");
    return true;
}

}  // namespace

Result<Conversation> Conversation::start(const std::vector<std::string>& argv,
                                         const std::map<std::string, std::string>& environment) {
    Conversation talk;
    talk.name_ = argv.front();
    const auto path = TRY(program_path(argv.front()));
    auto in = TRY(make_pair());
    auto out = TRY(make_pair());
    // What it complains about goes into memory: a pipe that nobody empties could stop it.
    talk.err_ = UniqueFd(::memfd_create("stderr", MFD_CLOEXEC));
    if (!talk.err_) return fail_errno("make a file in memory", errno);
    std::vector<std::string> variables;
    for (const auto& [name, value] : environment) variables.push_back(fmt::format("{}={}", name, value));
    talk.pid_ =
        TRY(spawn(path, argv, std::move(variables), {in.theirs.get(), out.theirs.get(), talk.err_.get()}));
    talk.pidfd_ = TRY(sys::pidfd_open(talk.pid_));
    talk.in_ = std::move(in.ours);
    talk.out_ = std::move(out.ours);
    return talk;
}

Conversation::Conversation(Conversation&& other) noexcept
    : name_(std::move(other.name_)),
      pid_(std::exchange(other.pid_, -1)),
      pidfd_(std::move(other.pidfd_)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      heard_(std::move(other.heard_)) {}

Conversation::~Conversation() {
    if (pid_ < 0) return;
    in_.reset();
    out_.reset();
    static_cast<void>(wait());
}

Result<void> Conversation::say(std::string_view text) {
    while (!text.empty()) {
        const auto sent = TEMP_FAILURE_RETRY(::send(in_.get(), text.data(), text.size(), MSG_NOSIGNAL));
        if (sent < 0) return fail_errno("ask " + name_, errno);
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<void> Conversation::fill() {
    std::array<char, 65536> buffer{};
    TRY(readable(out_.get(), name_));
    const auto got = TEMP_FAILURE_RETRY(::read(out_.get(), buffer.data(), buffer.size()));
    if (got < 0) return fail_errno("hear from " + name_, errno);
    if (got == 0) return fail("hear from " + name_, "it ended without an answer");
    heard_.append(buffer.data(), static_cast<std::size_t>(got));
    return {};
}

Result<std::string> Conversation::line() {
    for (std::size_t seen = 0;;) {
        const auto end = heard_.find('\n', seen);
        if (end != std::string::npos) {
            auto text = heard_.substr(0, end);
            heard_.erase(0, end + 1);
            return text;
        }
        seen = heard_.size();
        if (seen > kLongestLine) return fail("hear from " + name_, "its answer has no end");
        CHECK(fill());
    }
}

Result<std::string> Conversation::bytes(std::size_t count) {
    while (heard_.size() < count) CHECK(fill());
    auto text = heard_.substr(0, count);
    heard_.erase(0, count);
    return text;
}

Result<Conversation::Ended> Conversation::end() {
    in_.reset();
    while (heard_.size() < kMostOutput)
        if (const auto more = fill(); !more) break;
    Ended ended;
    ended.out = std::move(heard_);
    out_.reset();
    ended.status = wait();
    ::lseek(err_.get(), 0, SEEK_SET);
    ended.err = TRY(sys::read_all(err_.get(), name_));
    return ended;
}

// The one place that reaps it. A program that outstays its patience is killed through its pidfd.
int Conversation::wait() {
    if (const auto ended = sys::pidfd_wait(pidfd_.get(), kPatience_ms); !ended || !*ended)
        static_cast<void>(sys::pidfd_send_signal(pidfd_.get(), SIGKILL));
    int status = 0;
    TEMP_FAILURE_RETRY(::waitpid(std::exchange(pid_, -1), &status, 0));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace guard
