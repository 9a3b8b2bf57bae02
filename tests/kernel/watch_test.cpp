#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/change_walk.h"
#include "base/split.h"
#include "launcher/state.h"
#include "tests/support/drift.h"
#include "tests/support/kernel_walk.h"
#include "tests/support/private_state.h"
#include "tests/support/run_program.h"
#include "tests/support/running.h"
#include "tests/support/temp_dir.h"

// guard audit --watch: what drifts is told within two seconds, what is undone too, once each, over restarts
// of the container and of the watcher.
namespace guard {
namespace {

const support::PrivateState kPrivate;

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

constexpr milliseconds kPromised{2'000};
constexpr milliseconds kPatience{15'000};  // of a machine that does a lot besides

class WatchTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (::access(kGuard.c_str(), X_OK) != 0) GTEST_SKIP() << "the program guard is not built";
        ::setenv("GUARD_PROFILE_PATH", (std::string(GUARD_SOURCE_DIR) + "/profiles").c_str(), 1);
        profile_ = folder_.write("sleeper.toml",
                                 "guard = 1\nextends = [\"base\"]\n"
                                 "[process]\ncommand = [\"/bin/sleep\", \"1000\"]\n");
        launch();
    }
    void TearDown() override {
        if (!profile_.empty()) static_cast<void>(run({"stop", "one", "--timeout", "1s"}));
    }

    static support::RunResult run(std::vector<std::string> words) {
        words.insert(words.begin(), kGuard);
        return support::run_program(words);
    }
    void launch() const {
        const auto result = run({"launch", "--profile", profile_, "--name", "one", "--detach"});
        ASSERT_EQ(result.status, 0) << result.err;
    }
    void shell(const std::string& line) const {
        const auto record = launcher::load_record("one");
        ASSERT_TRUE(record) << describe(record.error());
        support::RunOptions options;
        options.env["P"] = std::to_string(record->bindings.payload.pid);
        const auto result = support::run_program({"sh", "-ec", line}, options);
        ASSERT_EQ(result.status, 0) << line << "\n" << result.err;
    }

    [[nodiscard]] std::vector<std::string> watcher(std::vector<std::string> more = {}) const {
        std::vector<std::string> words{kGuard, "audit", "--watch", "--format", "json"};
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
    [[nodiscard]] std::string out() const { return folder_ / "out"; }
    [[nodiscard]] std::string told() const { return support::text_of(out()); }

    /// Lines that tell that this finding begins or ends.
    [[nodiscard]] std::size_t count(const std::string& event, const std::string& id) const {
        std::size_t lines = 0;
        const auto all = told();  // the lines look into it
        for (const auto line : lines_of(all)) {
            const auto json = nlohmann::json::parse(line, nullptr, false);
            if (json.is_discarded() || !json.is_object()) continue;
            lines += json["event"] == event && json["finding"]["id"] == id ? 1 : 0;
        }
        return lines;
    }
    /// How long it took until `done`.
    template <class Done>
    static milliseconds await(Done done) {
        const auto begin = std::chrono::steady_clock::now();
        while (!done() && std::chrono::steady_clock::now() - begin < kPatience) ::usleep(20'000);
        return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
    }
    void await_watching(std::size_t times = 1) const {
        await([&] {
            std::size_t found = 0;
            const auto text = told();
            for (auto at = text.find("watching "); at != std::string::npos;
                 at = text.find("watching ", at + 1))
                ++found;
            return found >= times;
        });
        ASSERT_THAT(told(), HasSubstr("watching 1 container"));
    }

    static constexpr const char* kSocket = "/var/lib/guard/one/drift.sock";
    inline static const std::string kDrifter = std::string(GUARD_BINARY_DIR) + "/tests/support/drifter";
    inline static const std::string kGuard = std::string(GUARD_BINARY_DIR) + "/cli/guard";
    support::TempDir folder_;
    std::string profile_;
};

struct Drift {
    const char* name;
    const char* make;
    const char* undo;
    const char* id;
};
constexpr Drift kDrifts[] = {
    {"a mount, told by an event", "nsenter -t $P -m mount -t tmpfs t /srv", "nsenter -t $P -m umount /srv",
     "mounts"},
    {"a limit of the process, seen at a look", "prlimit --pid $P --nofile=128:20000",
     "prlimit --pid $P --nofile=$(prlimit --pid $$ --nofile -o SOFT --noheadings | tr -d ' '):20000",
     "rlimits"},
    {"a host name", "nsenter -t $P -u hostname drifted", "nsenter -t $P -u hostname one", "hostname"},
    {"who gets the processor first", "renice -n -3 -p $P >/dev/null", "renice -n 0 -p $P >/dev/null",
     "scheduling.nice"},
    {"who goes first when memory ends", "echo 500 >/proc/$P/oom_score_adj", "echo 0 >/proc/$P/oom_score_adj",
     "limits.oom-score-adj"},
    {"an interface", "nsenter -t $P -n ip link add extra type bridge", "nsenter -t $P -n ip link del extra",
     "network.interfaces"},
};

TEST_F(WatchTest, WhatDriftsIsToldInTimeAndWhatIsUndoneToo) {
    const support::Running running(watcher(), out());
    await_watching();
    EXPECT_EQ(count("begins", "mounts"), 0U) << told();
    for (const auto& drift : kDrifts) {
        SCOPED_TRACE(drift.name);
        shell(drift.make);
        EXPECT_LE(await([&] { return count("begins", drift.id) == 1; }), kPromised) << told();
        EXPECT_EQ(count("begins", drift.id), 1U) << told();
        shell(drift.undo);
        EXPECT_LE(await([&] { return count("ends", drift.id) == 1; }), kPromised) << told();
        EXPECT_EQ(count("ends", drift.id), 1U) << told();
    }
}

// What no event of the kernel tells and no file shows cheaply.
TEST_F(WatchTest, ALeakedDescriptorAndAProgramThatIsReplacedAreToldInTime) {
    GUARD_SKIP_UNLESS_WALKED();
    ASSERT_EQ(run({"stop", "one", "--timeout", "1s"}).status, 0);
    folder_.write("bin/library", std::string(8192, 'x'));
    ASSERT_EQ(support::run_program({"cp", kDrifter, folder_ / "bin/drifter"}).status, 0);
    folder_.write("sleeper.toml",
                  "guard = 1\nextends = [\"base\"]\n"
                  "[process]\ncommand = [\"/opt/drift/drifter\"]\n"
                  "[seccomp]\nallow = [\"@file\", \"@net-server\", \"@thread\"]\n"
                  "[filesystem.mounts]\n\"/srv/minecraft\" = { type = \"bind\", source = \"{data}\", write = "
                  "true }\n\"/opt/drift\" = { type = \"bind\", source = \"" +
                      folder_ / "bin" + "\", exec = true }\n");
    launch();
    await([] { return ::access(kSocket, F_OK) == 0; });
    const support::Running running(watcher(), out());
    await_watching();
    const UniqueFd folder(::open("/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
    support::tell_drifter(kSocket, "hold", folder.get());
    EXPECT_LE(await([&] { return count("begins", "handles.files") == 1; }), kPromised) << told();
    support::tell_drifter(kSocket, "drop");
    EXPECT_LE(await([&] { return count("ends", "handles.files") == 1; }), kPromised) << told();
    support::tell_drifter(kSocket, "map-code /opt/drift/library");
    folder_.write("bin/new", std::string(8192, 'y'));
    ASSERT_EQ(::rename((folder_ / "bin/new").c_str(), (folder_ / "bin/library").c_str()), 0);
    EXPECT_LE(await([&] { return count("begins", "program.replaced") == 1; }), kPromised) << told();
    support::tell_drifter(kSocket, "unmap");
    EXPECT_LE(await([&] { return count("ends", "program.replaced") == 1; }), kPromised) << told();
}

TEST_F(WatchTest, AStrangerInsideIsToldAndItsEndToo) {
    const support::Running running(watcher(), out());
    await_watching();
    {
        const auto record = launcher::load_record("one");
        ASSERT_TRUE(record);
        const support::Running stranger(
            {"nsenter", "-t", std::to_string(record->bindings.payload.pid), "-n", "sleep", "100"});
        EXPECT_LE(await([&] { return count("begins", "process.foreign") == 1; }), kPromised) << told();
    }
    EXPECT_LE(await([&] { return count("ends", "process.foreign") == 1; }), kPromised) << told();
}

TEST_F(WatchTest, WhatAPassingMomentShowsIsNotTold) {
    const support::Running running(watcher(), out());
    await_watching();
    shell("nsenter -t $P -m mount -t tmpfs t /srv; nsenter -t $P -m umount /srv");
    ::usleep(1'000'000);
    EXPECT_EQ(count("begins", "mounts"), 0U) << told();
}

TEST_F(WatchTest, ANewWatcherGoesOnWhereTheLastOneEnded) {
    {
        support::Running first(watcher(), out());
        await_watching();
        shell("nsenter -t $P -m mount -t tmpfs t /srv");
        await([&] { return count("begins", "mounts") == 1; });
        ::usleep(200'000);  // told first, noted then: between the two it would be told twice
        EXPECT_EQ(first.end(SIGKILL), 128 + SIGKILL);
    }
    const support::Running second(watcher(), out());
    await_watching(2);
    EXPECT_EQ(count("begins", "mounts"), 1U) << "told twice:\n" << told();
    shell("nsenter -t $P -m umount /srv");
    EXPECT_LE(await([&] { return count("ends", "mounts") == 1; }), kPromised) << told();
}

TEST_F(WatchTest, ItGoesOnWithTheNextLifeOfAContainer) {
    const support::Running running(watcher(), out());
    await_watching();
    ASSERT_EQ(run({"stop", "one", "--timeout", "1s"}).status, 0);
    launch();
    ::usleep(1'700'000);
    shell("nsenter -t $P -m mount -t tmpfs t /srv");
    EXPECT_LE(await([&] { return count("begins", "mounts") == 1; }), kPromised) << told();
}

TEST_F(WatchTest, ItEndsWhenAskedTo) {
    support::Running running(watcher(), out());
    await_watching();
    EXPECT_EQ(running.end(SIGTERM), 0);
}

std::string asked(const std::string& path, const std::string& request) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path, static_cast<char*>(address.sun_path));
    std::string answer;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        static_cast<void>(::write(fd, request.data(), request.size()));
        char buffer[4096];
        for (ssize_t size = 0; (size = ::read(fd, buffer, sizeof buffer)) > 0;)
            answer.append(buffer, static_cast<std::size_t>(size));
    }
    ::close(fd);
    return answer;
}

TEST_F(WatchTest, MetricsAreInAFileAndOnASocket) {
    const auto file = folder_ / "guard.prom", socket = folder_ / "metrics.sock";
    {
        const support::Running running(
            watcher({"--output", "prometheus:" + file, "--listen", "unix:" + socket}), out());
        await_watching();
        EXPECT_THAT(support::text_of(file),
                    HasSubstr("guard_findings{container=\"one\",severity=\"high\"} 0\n"));
        EXPECT_THAT(support::text_of(file), HasSubstr("guard_last_look_seconds "));
        EXPECT_THAT(asked(socket, "GET /metrics HTTP/1.0\r\n\r\n"),
                    HasSubstr("guard_tasks{container=\"one\"}"));
        EXPECT_THAT(asked(socket, "GET / HTTP/1.0\r\n\r\n"), HasSubstr("404"));
        shell("nsenter -t $P -m mount -t tmpfs t /srv");
        await([&] { return count("begins", "mounts") == 1; });
        EXPECT_THAT(asked(socket, "GET /metrics HTTP/1.0\r\n\r\n"),
                    Not(HasSubstr("guard_findings{container=\"one\",severity=\"high\"} 0\n")));
    }
    EXPECT_NE(::access(socket.c_str(), F_OK), 0) << "the socket was left behind";
}

TEST_F(WatchTest, WhatItCannotDoIsSaidAtOnce) {
    for (const auto& [words, says] :
         {std::pair<std::vector<std::string>, const char*>{{"--listen", "0.0.0.0:9100"}, "loopback"},
          {{"--interval", "1ms"}, "too often"},
          {{"--output", "sarif:/tmp/x"}, "prometheus:FILE"},
          {{"--all"}, "leave out"}}) {
        auto command = watcher(words);
        const auto result = support::run_program(command);
        EXPECT_EQ(result.status, 2) << words.back();
        EXPECT_THAT(result.err, HasSubstr(says));
    }
    if (::access("/run/systemd/journal/socket", F_OK) == 0) return;
    const auto result = run({"audit", "--watch", "--format", "journal"});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("no systemd journal runs here"));
}

}  // namespace
}  // namespace guard
