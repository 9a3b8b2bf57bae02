#include "launcher/state.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/digest.h"
#include "base/sys.h"
#include "launcher/life.h"
#include "launcher/log.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// Claims, records, clean-up and stopping, in a /run/guard of the test's own.
namespace guard::launcher {
namespace {

namespace fs = std::filesystem;
using support::TempDir;
using support::text_of;
const support::PrivateState kState;

Record record_of(const std::string& name, const TaskId& supervisor) {
    Record record;
    record.name = name;
    record.launched.name = name;
    record.launched.posture = record.reaper = nothing_granted();
    record.bindings.boot_id = boot_id().value();
    record.bindings.supervisor = record.bindings.init = record.bindings.payload = supervisor;
    record.stage = "running";
    record.started = ::time(nullptr) - 5;
    return record;
}

// A child that runs `body`, held by pidfd; waited for at the end.
class Child {
public:
    explicit Child(const std::function<int()>& body) {
        std::array<int, 2> ready{};
        EXPECT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ready_fd = ready[1];
            ::_exit(body());
        }
        ::close(ready[1]);
        char one = 0;
        EXPECT_EQ(::read(ready[0], &one, 1), 1) << "the child did not come up";
        ::close(ready[0]);
        handle = std::move(*open_process(pid_));
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        static_cast<void>(sys::pidfd_send_signal(handle.pidfd.get(), SIGKILL));
        static_cast<void>(status());
    }
    void kill() {
        EXPECT_TRUE(sys::pidfd_send_signal(handle.pidfd.get(), SIGKILL));
        static_cast<void>(status());
    }
    int status() {
        if (pid_ == 0) return status_;
        ::waitpid(pid_, &status_, 0);
        pid_ = 0;
        return status_;
    }
    static void ready() { EXPECT_EQ(::write(ready_fd, "r", 1), 1); }
    ProcessHandle handle;

private:
    static inline int ready_fd = -1;
    pid_t pid_ = 0;
    int status_ = 0;
};

TEST(ClaimTest, OneOfTwoWins) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto first = claim_name("web");
    ASSERT_TRUE(first) << describe(first.error());
    const auto second = claim_name("web");
    ASSERT_FALSE(second);
    EXPECT_NE(describe(second.error()).find("runs already"), std::string::npos) << describe(second.error());
    EXPECT_NE(second.error().fix.find("guard stop web"), std::string::npos);
}

TEST(ClaimTest, AFreedNameCanBeClaimedAgain) {
    GUARD_SKIP_UNLESS_PRIVATE();
    for (int i = 0; i < 3; ++i) {
        const auto claim = claim_name("again");
        ASSERT_TRUE(claim) << describe(claim.error());
        ASSERT_TRUE(save_record(record_of("again", open_process(::getpid())->id)));
        EXPECT_TRUE(clean_up(*load_record("again")));
        EXPECT_FALSE(fs::exists("/run/guard/again"));
    }
}

TEST(ClaimTest, AFolderOfSomebodyElseIsNotUsed) {
    GUARD_SKIP_UNLESS_PRIVATE();
    fs::create_directory("/run/guard/theirs");
    ASSERT_EQ(::chown("/run/guard/theirs", 1000, 1000), 0);
    const auto claim = claim_name("theirs");
    ASSERT_FALSE(claim);
    EXPECT_NE(describe(claim.error()).find("somebody else owns it"), std::string::npos)
        << describe(claim.error());
    fs::remove_all("/run/guard/theirs");
}

TEST(ClaimTest, ALinkIsNotFollowed) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const TempDir elsewhere;
    fs::create_directory_symlink(elsewhere.path(), "/run/guard/link");
    EXPECT_FALSE(claim_name("link"));
    EXPECT_TRUE(fs::is_empty(elsewhere.path()));
    fs::remove("/run/guard/link");
}

TEST(ClaimTest, AFullDiskIsNamed) {
    GUARD_SKIP_UNLESS_PRIVATE();
    ASSERT_EQ(::mount("tmpfs", "/run/guard", "tmpfs", 0, "size=64k,mode=700"), 0);
    const auto claim = claim_name("web");
    EXPECT_TRUE(claim);
    std::ofstream("/run/guard/filler") << std::string(64 << 10, 'x');
    const auto saved = save_record(record_of("web", open_process(::getpid())->id));
    EXPECT_FALSE(saved);
    if (!saved) {
        EXPECT_EQ(saved.error().attempt, "write the launch record of web");
        EXPECT_NE(saved.error().reason.find("/run/guard is full (0 B of 64 KiB free)"), std::string::npos)
            << saved.error().reason;
        EXPECT_FALSE(fs::exists("/run/guard/web/record.json"));
    }
    ASSERT_EQ(::umount2("/run/guard", MNT_DETACH), 0);
}

TEST(RecordTest, IsForItsOwnerOnly) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto claim = claim_name("web");
    ASSERT_TRUE(claim);
    const auto record = record_of("web", open_process(::getpid())->id);
    ASSERT_TRUE(save_record(record));
    EXPECT_EQ(fs::status("/run/guard/web/record.json").permissions(), fs::perms{0600});
    EXPECT_EQ(fs::status("/run/guard/web").permissions(), fs::perms{0700});
    const auto back = load_record("web");
    ASSERT_TRUE(back) << describe(back.error());
    EXPECT_EQ(back->bindings.supervisor, record.bindings.supervisor);
    EXPECT_TRUE(clean_up(*back));
}

TEST(RecordTest, OneThatOthersMayWriteIsNotBelieved) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto claim = claim_name("web");
    ASSERT_TRUE(claim);
    ASSERT_TRUE(save_record(record_of("web", open_process(::getpid())->id)));
    fs::permissions("/run/guard/web/record.json", fs::perms{0666});
    EXPECT_FALSE(load_record("web"));
    fs::permissions("/run/guard/web/record.json", fs::perms{0600});
    ASSERT_EQ(::chown("/run/guard/web/record.json", 1000, 0), 0);
    EXPECT_FALSE(load_record("web"));
    fs::remove_all("/run/guard/web");
}

TEST(RecordTest, GarbageIsAnErrorWithItsPath) {
    GUARD_SKIP_UNLESS_PRIVATE();
    fs::create_directory("/run/guard/web");
    fs::permissions("/run/guard/web", fs::perms{0700});
    for (const std::string garbage : {"", "{", "[]", "{\"guard\": 1}", "\xff\xfe"}) {
        std::ofstream("/run/guard/web/record.json", std::ios::trunc) << garbage;
        fs::permissions("/run/guard/web/record.json", fs::perms{0600});
        const auto record = load_record("web");
        ASSERT_FALSE(record) << garbage;
        EXPECT_NE(describe(record.error()).find("/run/guard/web/record.json"), std::string::npos);
    }
    fs::remove_all("/run/guard/web");
}

TEST(RecordTest, ANameThatDoesNotRunSaysSo) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto record = named_record("nobody");
    ASSERT_FALSE(record);
    EXPECT_EQ(describe(record.error()), "find nobody: no container of that name runs");
}

// A supervisor that claims, makes cgroups, a directory and a file, records them, and is then killed.
struct DeadSupervisorTest : testing::Test {
    TempDir folder;
    static Record make_all(const std::string& name, const TempDir& folder) {
        const auto claim = claim_name(name);
        if (!claim) ::_exit(1);
        auto record = record_of(name, open_process(::getpid())->id);
        auto posture = nothing_granted();
        const auto plan = plan_cgroup(posture, {}, name);
        if (!plan) ::_exit(2);
        record.made = plan->will_make;
        record.made.push_back({Made::Kind::directory, folder / "made", ""});
        record.made.push_back({Made::Kind::file, folder / "made/file", ""});
        record.bindings.cgroups = plan->paths;
        if (!save_record(record)) ::_exit(3);
        const auto doors = make_cgroup(*plan);
        if (!doors) ::_exit(3);
        folder.write("made/file", "x");
        // The payload, which outlives the supervisor here: nothing but the clean-up ends it.
        int entered[2];
        if (::pipe2(entered, O_CLOEXEC) < 0) ::_exit(4);
        if (::fork() == 0) {
            bool done = true;
            for (const auto& tasks : doors->tasks)
                done = done && ::write(tasks.get(), &CgroupDoors::kItself, 1) == 1;
            if (doors->leaf)
                done = done && sys::write_file(plan->leaves.at("") + "/cgroup.procs", "0").has_value();
            if (!done || ::write(entered[1], "y", 1) != 1) ::_exit(5);
            for (;;) ::pause();
        }
        ::close(entered[1]);
        char answer = 0;
        if (::read(entered[0], &answer, 1) != 1) ::_exit(6);
        Child::ready();
        for (;;) ::pause();
    }
};

TEST_F(DeadSupervisorTest, TheNextCommandRemovesWhatItLeft) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Child supervisor([this] { return make_all("web", folder), 0; });
    const auto record = load_record("web");
    ASSERT_TRUE(record) << describe(record.error());
    EXPECT_TRUE(clean_up_dead().empty()) << "it lives";
    EXPECT_EQ(life_of(*record), Life::running);
    supervisor.kill();
    EXPECT_EQ(life_of(*record), Life::dead);
    EXPECT_EQ(clean_up_dead(), std::vector<std::string>{"web"});
    for (const auto& made : record->made) EXPECT_FALSE(fs::exists(made.what)) << made.what;
    EXPECT_FALSE(fs::exists("/run/guard/web"));
    EXPECT_TRUE(clean_up_dead().empty());
    EXPECT_TRUE(clean_up(*record)) << "a second time is fine";
}

TEST_F(DeadSupervisorTest, ANewLaunchOfTheNameCleansUpFirst) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Child supervisor([this] { return make_all("web", folder), 0; });
    EXPECT_FALSE(claim_name("web"));
    supervisor.kill();
    const auto claim = claim_name("web");
    ASSERT_TRUE(claim) << describe(claim.error());
    EXPECT_FALSE(fs::exists(folder / "made"));
    EXPECT_FALSE(fs::exists("/run/guard/web/record.json"));
    EXPECT_TRUE(clean_up(record_of("web", {})));
}

TEST_F(DeadSupervisorTest, StopCleansUpAfterIt) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Child supervisor([this] { return make_all("web", folder), 0; });
    supervisor.kill();
    const auto stopped = stop("web");
    EXPECT_TRUE(stopped) << describe(stopped.error());
    EXPECT_FALSE(fs::exists("/run/guard/web"));
    EXPECT_FALSE(fs::exists(folder / "made"));
    EXPECT_FALSE(stop("web"));
}

TEST_F(DeadSupervisorTest, OneThatDoesNotListenIsEndedByForce) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Child supervisor([this] {
        ::signal(SIGTERM, SIG_IGN);
        return make_all("web", folder), 0;
    });
    // Its payload ends at once; it does not look, and is ended after the time it has for undoing.
    const auto begin = std::chrono::steady_clock::now();
    const auto stopped = stop("web", std::chrono::milliseconds(1));
    EXPECT_TRUE(stopped) << describe(stopped.error());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
    EXPECT_FALSE(fs::exists("/run/guard/web"));
    EXPECT_FALSE(fs::exists(folder / "made"));
}

// Tells by its exit status which timeout it was asked with, in ms.
int obedient_supervisor() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    const auto claim = claim_name("web");
    auto record = record_of("web", open_process(::getpid())->id);
    if (!claim || !save_record(record)) return 1;
    Child::ready();
    siginfo_t info{};
    ::sigwaitinfo(&set, &info);
    const bool undone = clean_up(record).has_value();
    return undone ? info.si_value.sival_int : 1;
}

TEST(StopTest, TheTimeoutReachesTheSupervisor) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Child supervisor(obedient_supervisor);
    EXPECT_TRUE(stop("web", std::chrono::milliseconds(77)));
    EXPECT_EQ(WEXITSTATUS(supervisor.status()), 77);
}

TEST(StopTest, WithoutOneTheProfilesCounts) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Child supervisor(obedient_supervisor);
    EXPECT_TRUE(stop("web"));
    EXPECT_EQ(WEXITSTATUS(supervisor.status()), 0);
}

TEST(StopTest, ANameThatDoesNotRunIsAnError) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto stopped = stop("nobody");
    ASSERT_FALSE(stopped);
    EXPECT_NE(stopped.error().fix.find("guard list"), std::string::npos);
}

TEST_F(DeadSupervisorTest, StatusTellsWhatRuns) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Child supervisor([this] { return make_all("web", folder), 0; });
    const auto now = status("web");
    ASSERT_TRUE(now) << describe(now.error());
    EXPECT_EQ(now->state, "running");
    EXPECT_GE(now->up, std::chrono::seconds(5));
    EXPECT_EQ(now->memory.limit, 512ULL << 20U);
    EXPECT_TRUE(now->memory.now.has_value());
    EXPECT_EQ(now->processes.now, 1U);
    EXPECT_EQ(now->processes.limit, 128U);
    EXPECT_EQ(now->cpu.limit, 1'000'000U);
    EXPECT_LT(now->cpu.now.value_or(1'000'000), 500'000U);
    EXPECT_EQ(now->pid, supervisor.handle.id.pid);
    EXPECT_EQ(now->threads, 1U);
    const auto all = list();
    ASSERT_TRUE(all);
    ASSERT_EQ(all->size(), 1U);
    supervisor.kill();
    EXPECT_EQ(status("web")->state, "dead");
    EXPECT_TRUE(stop("web"));
    EXPECT_TRUE(list()->empty());
}

TEST(StatusTest, AChangedProfileIsSeen) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const TempDir folder;
    const auto path = folder.write("web.toml", "guard = 1\n");
    const auto claim = claim_name("web");
    ASSERT_TRUE(claim);
    auto record = record_of("web", open_process(::getpid())->id);
    record.launched.sources = {{path, digest_of("guard = 1\n")}};
    ASSERT_TRUE(save_record(record));
    EXPECT_EQ(status("web")->sources, Sources::unchanged);
    EXPECT_EQ(status("web")->digest, digest_of("guard = 1\n").substr(0, 6));
    folder.write("web.toml", "guard = 1\n# more\n");
    EXPECT_EQ(status("web")->sources, Sources::changed);
    EXPECT_EQ(status("web")->changed_files, std::vector<std::string>{path});
    fs::remove(path);
    EXPECT_EQ(status("web")->sources, Sources::unreadable);
    EXPECT_TRUE(clean_up(record));
}

TEST(LogsTest, AContainerThatEndedStillHasItsLog) {
    GUARD_SKIP_UNLESS_PRIVATE();
    Log::open("/var/log/guard/web.log", 1000, 3)->append("last words\n");
    std::string text;
    const auto sink = [&text](std::string_view bytes) {
        text += bytes;
        return true;
    };
    EXPECT_TRUE(logs("web", Follow::yes, sink)) << "following ends, for nothing runs";
    EXPECT_EQ(text, "last words\n");
    const auto none = logs("other", Follow::no, sink);
    ASSERT_FALSE(none);
    EXPECT_NE(describe(none.error()).find("/var/log/guard/other.log"), std::string::npos);
}

TEST(IdRangeTest, TheRangeIsKeptInTheStateFolder) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto range = id_range_for("web");
    ASSERT_TRUE(range) << describe(range.error());
    EXPECT_EQ(range->count, 65'536U);
    EXPECT_NE(text_of("/var/lib/guard/.state/ids").find("web " + std::to_string(range->base)),
              std::string::npos);
}

}  // namespace
}  // namespace guard::launcher
