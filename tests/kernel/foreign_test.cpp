#include "audit/foreign.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/split.h"
#include "base/sys.h"
#include "base/task_iterator.h"
#include "policies/filter_compile.h"
#include "policies/load.h"
#include "tests/support/kernel_walk.h"
#include "tests/support/private_state.h"
#include "tests/support/run_program.h"
#include "tests/support/running.h"
#include "tests/support/temp_dir.h"

// Containers that others made, judged by a profile: runc, crun, bwrap and a plain process.
namespace guard {
namespace {

const support::PrivateState kPrivate;

using support::Running;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

const std::string kGuard = std::string(GUARD_BINARY_DIR) + "/cli/guard";

bool is_installed(const std::string& program) {
    return support::run_program({"sh", "-c", "command -v " + program}).status == 0;
}

/// The process whose command line is `sleep SECONDS`, which each test chooses for itself.
pid_t await_sleeper(const std::string& seconds) {
    for (int tries = 0; tries < 200; ++tries) {
        for (const auto& name : sys::list_directory(AT_FDCWD, "/proc").value_or(std::vector<std::string>{})) {
            const auto pid = number_of<pid_t>(name);
            const auto line = pid ? sys::read_file("/proc/" + name + "/cmdline").value_or("") : std::string();
            const std::string wanted = "sleep" + std::string(1, '\0') + seconds + std::string(1, '\0');
            if (line.ends_with(wanted) && line.size() <= wanted.size() + 9) return *pid;
        }
        ::usleep(25'000);
    }
    return 0;
}

/// The same, ended with this: the first process of a PID namespace is asked in vain, and its launcher waits.
class Sleeper {
public:
    explicit Sleeper(const std::string& seconds) : pid_(await_sleeper(seconds)) {
        if (auto opened = sys::pidfd_open(pid_)) pidfd_ = *std::move(opened);
    }
    ~Sleeper() {
        if (pidfd_) static_cast<void>(sys::pidfd_send_signal(pidfd_.get(), SIGKILL));
    }
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    pid_t pid_;
    UniqueFd pidfd_;
};

struct Judged {
    int status = -1;
    std::set<std::string> violations, unknowns;
    std::string text;
};

/// A profile like what the launchers below are told to do.
constexpr const char* kProfile = R"(
guard = 1
[process]
user = "999:999"
umask = "0027"
[limits]
memory = "none"
swap = "none"
pids = "none"
cpus = "none"
)";

Judged judged(pid_t pid, const std::string& profile) {
    const auto result = support::run_program(
        {kGuard, "audit", "--pid", std::to_string(pid), "--profile", profile, "--format", "json"});
    Judged judged{result.status, {}, {}, result.out + result.err};
    const auto json = nlohmann::json::parse(result.out, nullptr, false);
    if (json.is_discarded()) return judged;
    for (const auto& finding : json["findings"]) {
        const auto verdict = finding["verdict"].get<std::string>();
        if (verdict == "violation") judged.violations.insert(finding["id"].get<std::string>());
        if (verdict == "unknown") judged.unknowns.insert(finding["id"].get<std::string>());
    }
    return judged;
}

/// What a container of an OCI runtime is started with.
struct Bundle {
    std::string capabilities, maps = R"([{"containerID":0,"hostID":300000,"size":65536}])";
    const char* no_new_privs = "true";
};

class ForeignTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (::access(kGuard.c_str(), X_OK) != 0) GTEST_SKIP() << "the program guard is not built";
        ::setenv("GUARD_PROFILE_PATH", (std::string(GUARD_SOURCE_DIR) + "/profiles").c_str(), 1);
        profile_ = folder_.write("judge.toml", kProfile);
    }

    // A root of one static program, open to the ids inside.
    std::string bundle(const Bundle& wanted, const std::string& seconds) {
        for (const auto* name : {"", "/bin", "/proc", "/dev", "/tmp", "/sys"})
            ::mkdir((folder_.path() + "/rootfs" + name).c_str(), 0755);
        ::chmod(folder_.path().c_str(), 0755);
        EXPECT_EQ(support::run_program({"cp", "/bin/busybox", folder_.path() + "/rootfs/bin/sleep"}).status,
                  0);
        const std::string caps = "[" + wanted.capabilities + "]";
        folder_.write(
            "config.json",
            R"({"ociVersion":"1.0.2","process":{"terminal":false,"user":{"uid":999,"gid":999,"umask":23},
"args":["/bin/sleep",")" +
                seconds + R"("],"env":["PATH=/bin"],"cwd":"/","capabilities":{"bounding":)" + caps +
                R"(,"effective":)" + caps + R"(,"permitted":)" + caps +
                R"(},"rlimits":[{"type":"RLIMIT_CORE","hard":0,"soft":0}],"noNewPrivileges":)" +
                wanted.no_new_privs +
                R"(},"root":{"path":"rootfs","readonly":true},"hostname":"box","mounts":[
{"destination":"/proc","type":"proc","source":"proc","options":["nosuid","nodev","noexec"]},
{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","noexec","mode=755","size=64k"]}],
"linux":{"namespaces":[{"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"mount"},
{"type":"cgroup"},{"type":"user"}],"uidMappings":)" +
                wanted.maps + R"(,"gidMappings":)" + wanted.maps +
                R"(,"seccomp":{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86_64"],
"syscalls":[{"names":["kexec_load"],"action":"SCMP_ACT_ERRNO"}]}}})");
        return folder_.path();
    }

    // crun refuses v1 and v2 side by side: in this mount namespace only v1 is left.
    std::vector<std::string> runtime(const std::string& name, const std::string& seconds) {
        if (name == "crun")
            return {"sh", "-c",
                    "while umount /sys/fs/cgroup/unified 2>/dev/null; do :; done; exec crun "
                    "--cgroup-manager=disabled --root \"$0/state\" run --bundle \"$0\" guard-test-" +
                        seconds,
                    folder_.path()};
        return {"runc",     "--root",       folder_.path() + "/state", "run",
                "--bundle", folder_.path(), "guard-test-" + seconds};
    }

    support::TempDir folder_;
    std::string profile_;
};

class OciTest : public ForeignTest, public testing::WithParamInterface<const char*> {
protected:
    void SetUp() override {
        ForeignTest::SetUp();
        if (IsSkipped()) return;
        if (!is_installed(GetParam())) GTEST_SKIP() << GetParam() << " is not installed";
        if (::access("/bin/busybox", X_OK) != 0) GTEST_SKIP() << "busybox-static is not installed";
    }
};
INSTANTIATE_TEST_SUITE_P(Runtimes, OciTest, testing::Values("runc", "crun"),
                         [](const auto& runtime) { return std::string(runtime.param); });

TEST_P(OciTest, AContainerThatKeepsToTheProfileHasNoViolationOfIts) {
    bundle({}, "1001");
    const Running running(runtime(GetParam(), "1001"), "/dev/null");
    const Sleeper sleeper("1001");
    ASSERT_NE(sleeper.pid(), 0) << "the container did not start";
    const auto seen = judged(sleeper.pid(), profile_);
    // Its root honours set-user-id programs and device files, without a cgroup of its own any device is
    // allowed, and neither runtime knows of securebits and Landlock. Its filter refuses one call.
    EXPECT_THAT(seen.violations,
                testing::IsSubsetOf({"mounts", "devices", "securebits", "landlock.domain", "seccomp.access"}))
        << seen.text;
    GUARD_SKIP_UNLESS_WALKED();
    for (const auto* id : {"securebits", "landlock.domain", "seccomp.access"})
        EXPECT_THAT(seen.violations, Contains(id)) << "the kernel says it:\n" << seen.text;
    EXPECT_THAT(seen.text, HasSubstr("also ")) << "what the filter allows is told by name";
    for (const auto* id : {"securebits", "landlock.domain", "seccomp.access", "seccomp.content"})
        EXPECT_THAT(seen.unknowns, Not(Contains(id))) << seen.text;
    EXPECT_EQ(seen.status, 1);
}

TEST_P(OciTest, EachThingThatTheProfileDoesNotGiveIsAViolation) {
    bundle({R"("CAP_NET_ADMIN")", R"([{"containerID":0,"hostID":0,"size":65536}])", "false"}, "1002");
    const Running running(runtime(GetParam(), "1002"), "/dev/null");
    const Sleeper sleeper("1002");
    ASSERT_NE(sleeper.pid(), 0) << "the container did not start";
    const auto seen = judged(sleeper.pid(), profile_);
    for (const auto* id : {"caps.bounding", "no-new-privs", "users.uid-map", "users.gid-map"})
        EXPECT_THAT(seen.violations, Contains(id)) << seen.text;
    EXPECT_EQ(seen.status, 1);
}

TEST_F(ForeignTest, ASandboxOfBwrapIsJudged) {
    if (!is_installed("bwrap")) GTEST_SKIP() << "bwrap is not installed";
    const Running running({"setpriv",        "--reuid", "65534",         "--regid", "65534",
                           "--clear-groups", "bwrap",   "--unshare-all", "--uid",   "999",
                           "--gid",          "999",     "--ro-bind",     "/",       "/",
                           "--proc",         "/proc",   "--dev",         "/dev",    "--die-with-parent",
                           "sleep",          "1003"});
    const Sleeper sleeper("1003");
    ASSERT_NE(sleeper.pid(), 0) << "the sandbox did not start";
    const auto seen = judged(sleeper.pid(), profile_);
    for (const auto* id : {"seccomp.mode", "mounts"}) EXPECT_THAT(seen.violations, Contains(id)) << seen.text;
    for (const auto* id : {"users.uid-map", "no-new-privs", "caps.effective", "namespaces"})
        EXPECT_THAT(seen.violations, Not(Contains(id))) << seen.text;
    EXPECT_THAT(seen.text, HasSubstr("bind of /")) << "this machine's whole tree is told as that";
}

/// A sandbox of bwrap under the filter of `allows`, which may be another profile than it is judged by.
class FilteredSandbox {
public:
    FilteredSandbox(const support::TempDir& folder, const std::string& allows, const std::string& seconds)
        : running_({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "sh", "-c",
                    "exec bwrap --unshare-all --uid 999 --gid 999 --ro-bind / / --proc /proc --dev /dev "
                    "--die-with-parent --as-pid-1 --seccomp 9 sleep " +
                        seconds + " 9<" + filter_file(folder, allows)}),
          sleeper_(seconds) {}
    [[nodiscard]] pid_t pid() const { return sleeper_.pid(); }

private:
    static std::string filter_file(const support::TempDir& folder, const std::string& profile) {
        const auto loaded =
            load_profile(profile, {.search_path = {std::string(GUARD_SOURCE_DIR) + "/profiles"}});
        EXPECT_TRUE(loaded.profile);
        const auto* rules = value_of(loaded.profile->posture.seccomp.access);
        const auto program = policies::compile_filter(*rules);
        EXPECT_TRUE(program) << describe(program.error());
        ::chmod(folder.path().c_str(), 0755);
        return folder.write("filter.bpf", *program);
    }
    Running running_;
    Sleeper sleeper_;
};

TEST_F(ForeignTest, AFilterIsJudgedByItsContentWhoeverLoadedIt) {
    if (!is_installed("bwrap")) GTEST_SKIP() << "bwrap is not installed";
    GUARD_SKIP_UNLESS_WALKED();
    const auto sleeper = folder_.write("sleeper.toml", "guard = 1\nextends = [\"base\"]\n");
    const auto wider = folder_.write("wider.toml",
                                     "guard = 1\nextends = [\"base\"]\n"
                                     "[seccomp]\nallow = [\"keyctl\", \"add_key\"]\n");
    const FilteredSandbox as_declared(folder_, sleeper, "1008"), other(folder_, wider, "1009");
    ASSERT_NE(as_declared.pid(), 0);
    ASSERT_NE(other.pid(), 0);
    const auto same = judged(as_declared.pid(), sleeper);
    EXPECT_THAT(same.text, Not(HasSubstr("\"seccomp.")))
        << "nothing of its filter is found, nothing is unknown:\n"
        << same.text;
    const auto differs = judged(other.pid(), sleeper);
    EXPECT_THAT(differs.violations, Contains("seccomp.access")) << differs.text;
    EXPECT_THAT(differs.text, HasSubstr("also add_key, keyctl\""));
    EXPECT_THAT(differs.violations, Not(Contains("seccomp.mode")));
    EXPECT_THAT(judged(other.pid(), wider).text, Not(HasSubstr("\"seccomp.")));
}

TEST_F(ForeignTest, WhereTheKernelCannotBeAskedTheReasonIsTold) {
    const Running running({"sleep", "1010"});
    ::chmod(folder_.path().c_str(), 0755);
    const auto result =
        support::run_program({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", kGuard,
                              "audit", "--pid", std::to_string(running.pid()), "--profile", profile_});
    EXPECT_THAT(result.out, HasSubstr("it needs CAP_BPF and CAP_PERFMON")) << result.out << result.err;
}

// Without CAP_SYS_RESOURCE its own default limits can't be set, and crun wants one version of cgroups.
constexpr const char* kPodman =
    "while umount /sys/fs/cgroup/unified 2>/dev/null; do :; done; mount -t tmpfs t /mnt; exec podman "
    "--root /mnt/root --runroot /mnt/run --storage-driver vfs --cgroup-manager cgroupfs --runtime crun run "
    "--rm "
    "--ulimit nofile=1024:1024 --ulimit nproc=4096:4096 --ulimit core=0:0 --network none --cap-drop all "
    "--security-opt no-new-privileges --user 999:999 --umask 0027 --uidmap 0:300000:65536 "
    "--gidmap 0:300000:65536 --read-only --rootfs \"$0/rootfs\" /bin/sleep 1007";

TEST_F(ForeignTest, AContainerOfPodmanIsJudged) {
    for (const auto* program : {"podman", "crun"})
        if (!is_installed(program)) GTEST_SKIP() << program << " is not installed";
    if (::access("/bin/busybox", X_OK) != 0) GTEST_SKIP() << "busybox-static is not installed";
    bundle({}, "1007");
    for (const auto* name : {"etc/passwd", "etc/group", "etc/hosts", "etc/hostname", "etc/resolv.conf",
                             "run/.containerenv", "run/secrets/x", "var/tmp/x"})
        folder_.write(std::string("rootfs/") + name, "");
    ASSERT_EQ(support::run_program({"chmod", "-R", "a+rX", folder_.path() + "/rootfs"}).status, 0);
    const Running running({"sh", "-c", kPodman, folder_.path()}, folder_ / "said");
    const Sleeper sleeper("1007");
    ASSERT_NE(sleeper.pid(), 0) << support::text_of(folder_ / "said");
    const auto seen = judged(sleeper.pid(), profile_);
    for (const auto* id :
         {"users.uid-map", "no-new-privs", "caps.effective", "caps.bounding", "seccomp.mode", "identity.uid"})
        EXPECT_THAT(seen.violations, Not(Contains(id))) << seen.text;
    GUARD_SKIP_UNLESS_WALKED();
    for (const auto* id : {"seccomp.access", "securebits", "landlock.domain"})
        EXPECT_THAT(seen.violations, Contains(id)) << "podman's own filter allows more:\n" << seen.text;
}

TEST_F(ForeignTest, AServiceInThisMachinesNamespacesIsJudged) {
    const Running running({"sleep", "1004"});
    const auto seen = judged(running.pid(), profile_);
    for (const auto* id : {"namespaces", "caps.effective", "identity.uid", "seccomp.mode"})
        EXPECT_THAT(seen.violations, Contains(id)) << seen.text;
    EXPECT_EQ(seen.status, 1);
}

TEST_F(ForeignTest, DescendantsInTheSameNamespacesAreJudgedToo) {
    const Running running({"sh", "-c", "sleep 1005 & sleep 1006; true"});
    ASSERT_NE(await_sleeper("1005"), 0);
    const auto seen = judged(running.pid(), profile_);
    EXPECT_THAT(seen.text, HasSubstr("\"tasks\": 3"));
}

TEST_F(ForeignTest, AProcessThatIsNotThereIsAnErrorInOneSentence) {
    const auto result = support::run_program({kGuard, "audit", "--pid", "4194303", "--profile", profile_});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(result.err, HasSubstr("No such process"));
    EXPECT_EQ(support::run_program({kGuard, "audit", "--pid", "x1", "--profile", profile_}).status, 2);
    EXPECT_EQ(support::run_program({kGuard, "audit", "--pid", "1"}).status, 2) << "without a profile";
    EXPECT_EQ(support::run_program({kGuard, "audit", "--all", "one"}).status, 2) << "both at once";
}

}  // namespace
}  // namespace guard
