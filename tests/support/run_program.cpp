#include "tests/support/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "base/sys.h"

namespace guard::support {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Pipe {
    UniqueFd read, write;
    Pipe() {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
        read = UniqueFd(ends[0]);
        write = UniqueFd(ends[1]);
    }
};

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> list;
    for (auto& word : words) list.push_back(word.data());
    list.push_back(nullptr);
    return list;
}

std::vector<std::string> environment(const RunOptions& options) {
    std::vector<std::string> lines;
    for (char** entry = environ; !options.clear_env && *entry != nullptr; ++entry) {
        const std::string line = *entry;
        if (!options.env.contains(line.substr(0, line.find('=')))) lines.push_back(line);
    }
    for (const auto& [name, value] : options.env) {
        lines.push_back(name);
        lines.back() += '=';
        lines.back() += value;
    }
    return lines;
}

[[noreturn]] void become(char* const* argv, char* const* envp, const char* folder, int in, int out, int err) {
    if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(127);
    if (*folder != '\0' && ::chdir(folder) != 0) ::_exit(127);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    ::execvpe(argv[0], argv, envp);
    ::_exit(127);
}

// Reads what is there without waiting; false at the end of the pipe.
bool drain(int fd, std::string& into) {
    std::array<char, 65536> chunk{};
    for (;;) {
        const auto got = ::read(fd, chunk.data(), chunk.size());
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) return false;
        into.append(chunk.data(), static_cast<std::size_t>(got));
    }
}

// Writes what fits; closes the pipe when all is written or nobody reads.
void feed(UniqueFd& fd, std::string_view& input) {
    const auto put = ::write(fd.get(), input.data(), input.size());
    if (put >= 0) input.remove_prefix(static_cast<std::size_t>(put));
    if (input.empty() || (put < 0 && errno != EAGAIN && errno != EINTR)) fd.reset();
}

void set_nonblocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }

// Ends a program that takes too long: asked first, killed when it does not listen.
struct Deadline {
    steady_clock::time_point at;
    bool passed = false;
    void check(int pidfd) {
        if (steady_clock::now() < at) return;
        static_cast<void>(sys::pidfd_send_signal(pidfd, passed ? SIGKILL : SIGTERM));
        passed = true;
        at = steady_clock::now() + std::chrono::seconds(2);
    }
};

void talk(int pidfd, UniqueFd in, const UniqueFd& out, const UniqueFd& err, std::string_view input,
          milliseconds timeout, RunResult& result) {
    for (const int fd : {in.get(), out.get(), err.get()}) set_nonblocking(fd);
    if (input.empty()) in.reset();
    Deadline deadline{steady_clock::now() + timeout};
    std::array<pollfd, 4> waits{pollfd{pidfd, POLLIN, 0}, pollfd{out.get(), POLLIN, 0},
                                pollfd{err.get(), POLLIN, 0}, pollfd{in.get(), POLLOUT, 0}};
    for (bool ended = false; !ended;) {
        const auto left = std::chrono::duration_cast<milliseconds>(deadline.at - steady_clock::now()).count();
        static_cast<void>(
            ::poll(waits.data(), waits.size(), static_cast<int>(std::clamp<long>(left + 1, 0, 1000))));
        ended = waits[0].revents != 0;
        if (!drain(out.get(), result.out)) waits[1].fd = -1;
        if (!drain(err.get(), result.err)) waits[2].fd = -1;
        if (in && waits[3].revents != 0) feed(in, input);
        waits[3].fd = in.get();
        if (!ended) deadline.check(pidfd);
    }
    result.timed_out = deadline.passed;
}

}  // namespace

RunResult run_program(const std::vector<std::string>& argv, const RunOptions& options) {
    ::signal(SIGPIPE, SIG_IGN);  // a program that does not read its input must not end the test
    auto words = argv;
    auto lines = environment(options);
    const auto arguments = pointers(words);
    const auto variables = pointers(lines);
    Pipe in;
    Pipe out;
    Pipe err;
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("cannot fork");
    if (child == 0)
        become(arguments.data(), variables.data(), options.folder.c_str(), in.read.get(), out.write.get(),
               err.write.get());
    auto pidfd = sys::pidfd_open(child);
    if (!pidfd) throw std::runtime_error("cannot hold the program");
    in.read.reset();
    out.write.reset();
    err.write.reset();
    RunResult result;
    talk(pidfd->get(), std::move(in.write), out.read, err.read, options.input, options.timeout, result);
    int status = 0;
    static_cast<void>(TEMP_FAILURE_RETRY(::waitpid(child, &status, 0)));
    result.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return result;
}

}  // namespace guard::support
