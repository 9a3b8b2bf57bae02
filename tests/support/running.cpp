#include "tests/support/running.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/sys.h"

extern char** environ;

namespace guard::support {

Running::Running(std::vector<std::string> words, const std::string& out) {
    std::vector<char*> argv;
    for (auto& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    if (!out.empty()) {
        ::posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        ::posix_spawn_file_actions_adddup2(&files, 1, 2);
    }
    EXPECT_EQ(::posix_spawnp(&pid_, argv[0], &files, nullptr, argv.data(), environ), 0) << words[0];
    ::posix_spawn_file_actions_destroy(&files);
    if (auto pidfd = sys::pidfd_open(pid_)) pidfd_ = *std::move(pidfd);
}

int Running::end(int signal) {
    if (pid_ == 0) return 0;
    constexpr int kPatience = 3'000;  // ms; what ignores the signal is killed then
    static_cast<void>(sys::pidfd_send_signal(pidfd_.get(), signal));
    if (!sys::pidfd_wait(pidfd_.get(), kPatience).value_or(false))
        static_cast<void>(sys::pidfd_send_signal(pidfd_.get(), SIGKILL));
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Running::~Running() { end(SIGTERM); }

}  // namespace guard::support
