#include "base/proc_events.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "audit/watch_events.h"
#include "tests/support/temp_dir.h"

// The kernel tells what processes do only in the machine's own pid and network namespaces: so this runs
// there, with children of its own alone.
namespace guard {
namespace {

/// A child that goes on when it is told to: "e" executes, "u" becomes another user, anything else ends.
class Told {
public:
    Told() {
        if (::pipe2(ends_.data(), O_CLOEXEC) != 0) return;
        pid_ = ::fork();
        if (pid_ != 0) return;
        ::close(ends_[1]);
        char word = 0;
        while (::read(ends_[0], &word, 1) == 1 && word == 'u')
            static_cast<void>(::syscall(SYS_setresuid, 65534, 65534, 65534));
        if (word == 'e') ::execl("/bin/sleep", "sleep", "1000", nullptr);
        ::_exit(0);
    }
    Told(const Told&) = delete;
    Told& operator=(const Told&) = delete;
    ~Told() { end(); }
    void tell(char word) const { EXPECT_EQ(::write(ends_[1], &word, 1), 1); }
    void end() {
        if (pid_ <= 0) return;
        const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
        ::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
        ::close(pidfd);
        ::waitpid(pid_, nullptr, 0);
        for (const int end : ends_) ::close(end);
        pid_ = 0;
    }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    std::array<int, 2> ends_{-1, -1};
    pid_t pid_ = 0;
};

class ProcEventsTest : public testing::Test {
protected:
    void SetUp() override {
        auto opened = open_proc_events();
        if (!opened) GTEST_SKIP() << describe(opened.error());
        events_ = *std::move(opened);
        const Told any;
        if (!hears_of(::getpid())) GTEST_SKIP() << "the kernel tells nothing here: another pid namespace";
    }
    /// Whether an event about this process comes in time.
    bool hears_of(pid_t process, std::chrono::milliseconds patience = std::chrono::seconds(3)) const {
        using Clock = std::chrono::steady_clock;
        const auto end = Clock::now() + patience;
        while (Clock::now() < end) {
            pollfd one{events_.get(), POLLIN, 0};
            if (::poll(&one, 1, 50) <= 0) continue;
            std::array<char, 16'384> buffer{};
            const auto size = ::read(events_.get(), buffer.data(), buffer.size());
            if (size <= 0) continue;
            const auto all = processes_in_events({buffer.data(), static_cast<std::size_t>(size)});
            if (std::ranges::find(all, process) != all.end()) return true;
        }
        return false;
    }
    void forget(pid_t process) const {
        while (hears_of(process, std::chrono::milliseconds(150))) continue;
    }
    UniqueFd events_;
};

TEST_F(ProcEventsTest, AForkAnExecAChangeOfUserAndAnEndAreToldEach) {
    Told child;
    EXPECT_TRUE(hears_of(::getpid())) << "it forked";
    child.tell('u');
    EXPECT_TRUE(hears_of(child.pid())) << "it became another user";
    forget(child.pid());  // an event for each of its ids
    child.tell('e');
    EXPECT_TRUE(hears_of(child.pid())) << "it executed";
    forget(child.pid());
    const auto pid = child.pid();
    child.end();
    EXPECT_TRUE(hears_of(pid)) << "it ended";
}

// Events that nobody takes are thrown away by the kernel, and it says so once: then anything may have
// happened.
TEST_F(ProcEventsTest, EventsThatWereLostCountAsAChange) {
    const support::TempDir folder;
    auto events = audit::WatchEvents::open(folder.path());
    ASSERT_TRUE(events) << describe(events.error());
    const auto take = [&events] {
        auto all = events->descriptors();
        ::poll(all.data(), all.size(), 0);
        return events->take(all);
    };
    static_cast<void>(take());
    EXPECT_FALSE(take().changed) << "nothing happened to any container";
    for (int born = 0; born < 2'000; ++born) {
        const auto child = ::fork();
        if (child == 0) ::_exit(0);
        ::waitpid(child, nullptr, 0);
    }
    EXPECT_TRUE(take().changed);
    EXPECT_FALSE(take().changed) << "told once";
}

}  // namespace
}  // namespace guard
