#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/mount.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>

#include "base/enter.h"
#include "base/sys.h"
#include "tests/support/container.h"
#include "tests/support/drift.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// Every way to drift that is known (docs/audit.md numbers them), made for real in a container of the
// minecraft profile: from inside by its server, which is a program of this test's, or from outside with
// root's tools. Each is found and named, and gone when it is undone.
namespace guard {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

const support::PrivateState kPrivate;

class AuditDriftTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (support::no_private_state() || support::Container::none_here()) return;
        programs = new support::TempDir;
        const auto profile = support::write_drift_profile(*programs);
        std::filesystem::copy_file(kDrifter, *programs / "bin/other");
        programs->write("bin/library", std::string(8192, 'x'));
        server = new support::Container("mc", profile);
        support::await_drifter(kSocket);
    }
    static void TearDownTestSuite() {
        delete server;
        delete programs;
    }
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (const auto why = support::Container::none_here()) GTEST_SKIP() << *why;
        ASSERT_EQ(server->launched().status, 0) << server->launched().err;
        ASSERT_EQ(told(), "") << "before the drift";
    }

    /// As Container::shell, with $B for the folder of its programs.
    static void shell(const std::string& line) { server->shell(line, {{"B", *programs / "bin"}}); }
    /// In the container's file tree, with this machine's rights.
    static void in_its_tree(const std::function<void()>& act) {
        std::thread([&act] {
            const auto space =
                sys::open(fmt::format("/proc/{}/ns/mnt", record().bindings.payload.pid), O_RDONLY);
            ASSERT_TRUE(space);
            ASSERT_EQ(::unshare(CLONE_FS), 0);
            ASSERT_EQ(::setns(space->get(), CLONE_NEWNS), 0);
            act();
        }).join();
    }
    /// Mounts what is at `from` on this machine inside: nsenter can't, for it sees one tree at a time.
    static void mount_inside(const char* from, const char* to) {
        const UniqueFd tree(
            static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, from, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)));
        ASSERT_TRUE(tree) << std::strerror(errno);
        in_its_tree([&] {
            EXPECT_EQ(::syscall(SYS_move_mount, tree.get(), "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH), 0)
                << std::strerror(errno);
        });
    }
    static void unmount_inside(const char* place) {
        constexpr int kDetach = 2;  // MNT_DETACH of sys/mount.h, which does not go with linux/mount.h
        in_its_tree(
            [place] { EXPECT_EQ(::syscall(SYS_umount2, place, kDetach), 0) << std::strerror(errno); });
    }
    /// A socket of the container's network that nobody in the container holds.
    static UniqueFd socket_inside(int domain, int type, int protocol) {
        const auto space = sys::open(fmt::format("/proc/{}/ns/net", record().bindings.payload.pid), O_RDONLY);
        const auto inside_it = EnteredNetwork::enter(space->get());
        EXPECT_TRUE(inside_it);
        UniqueFd socket(::socket(domain, type | SOCK_CLOEXEC, protocol));
        EXPECT_TRUE(socket) << std::strerror(errno);
        return socket;
    }
    static std::string told(audit::Files files = audit::Files::skip) { return server->told(files); }
    static Record& record() { return server->record; }

    /// Tells the server to do something, with a descriptor that it is to have.
    static void inside(const std::string& command, int fd = -1) {
        support::tell_drifter(kSocket, command, fd);
    }

    inline static const std::string kDrifter = std::string(GUARD_BINARY_DIR) + "/tests/support/drifter";
    static constexpr const char* kSocket = "/var/lib/guard/mc/drift.sock";
    inline static support::TempDir* programs = nullptr;
    inline static support::Container* server = nullptr;
};

/// One row: how it is made and undone, and what tells it. A line that begins with "inside " is a command to
/// the server, any other is one of bash.
struct Drift {
    int number;  ///< in docs/audit.md
    const char* name;
    const char* make;
    const char* undo;
    const char* finding;
};

void PrintTo(const Drift& drift, std::ostream* out) { *out << drift.number << " " << drift.name; }

class AuditDriftRowTest : public AuditDriftTest, public testing::WithParamInterface<Drift> {
protected:
    static void does(const std::string& line) {
        constexpr std::string_view kInside = "inside ";
        if (line.starts_with(kInside)) return inside(line.substr(kInside.size()));
        shell(line);
    }
};

TEST_P(AuditDriftRowTest, IsFoundNamedAndGoneWhenUndone) {
    does(GetParam().make);
    EXPECT_THAT(told(), HasSubstr(GetParam().finding));
    does(GetParam().undo);
    EXPECT_EQ(told(), "") << "after it was undone";
}

constexpr Drift kDrifts[] = {
    {2, "OneThreadAloneIsServedBeforeOthers", "renice -n -5 -p $(ls /proc/$P/task | tail -n 1) >/dev/null",
     "renice -n 0 -p $(ls /proc/$P/task | tail -n 1) >/dev/null", "scheduling.nice  found '-5' by drifter"},
    {13, "AMountIsAdded", "nsenter -t $P -m mount --bind /usr/share /srv/minecraft",
     "nsenter -t $P -m umount /srv/minecraft", "mounts /srv/minecraft found"},
    {14, "AMountMayBeWritten", "nsenter -t $P -m mount -o remount,bind,rw,nosuid,nodev /usr",
     "nsenter -t $P -m mount -o remount,bind,ro,nosuid,nodev /usr", "mounts /usr write found"},
    {16, "AMaskIsCovered", "nsenter -t $P -m mount -t tmpfs t /proc", "nsenter -t $P -m umount /proc",
     "mounts /proc/sys found"},
    {21, "AProgramCallsItselfAnother", "inside name nginx", "inside name drifter",
     "program.name drifter calls itself nginx found"},
    {25, "MoreProcessesMayRun", "echo 999 >$(find /sys/fs/cgroup -path '*/guard/mc/pids.max')",
     "echo 512 >$(find /sys/fs/cgroup -path '*/guard/mc/pids.max')", "limits pids found '999'"},
    {26, "SomebodyInsideMayChangeItsLimits",
     "chown $(stat -c %u /proc/$P) $(dirname $(find /sys/fs/cgroup -path '*/guard/mc/pids.max'))",
     "chown 0 $(dirname $(find /sys/fs/cgroup -path '*/guard/mc/pids.max'))", "limits.writable pids:"},
    {31, "AnInterfaceIsAdded", "nsenter -t $P -n ip link add vx type veth peer name vy",
     "nsenter -t $P -n ip link del vx", "network.interfaces vx found"},
    {31, "ARouteIsAdded", "nsenter -t $P -n ip route add 203.0.113.0/24 dev eth0",
     "nsenter -t $P -n ip route del 203.0.113.0/24", "network.routes 203.0.113.0/24 on eth0 found"},
    {32, "APacketFilterIsPutInside", "nsenter -t $P -n nft add table inet x",
     "nsenter -t $P -n nft delete table inet x", "network.rules nft inet x found"},
    {33, "ItBecomesARouter", "nsenter -t $P -n sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'",
     "nsenter -t $P -n sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'",
     "network.settings net.ipv4.ip_forward found '1'"},
    {34, "TheHostNameIsAnother", "nsenter -t $P -u hostname drifted", "nsenter -t $P -u hostname mc",
     "hostname  found 'drifted'"},
    {35, "ALimitOfTheProcessIsLower", "prlimit --pid $P --nofile=128:",
     "prlimit --pid $P --nofile=$(prlimit "
     "--pid $P --nofile --noheadings -o HARD):",
     "rlimits nofile:soft found '128'"},
    {39, "OtherCodeIsPreloaded", "inside start-preloaded /opt/drift/drifter", "inside end-children",
     "program.loader LD_PRELOAD found"},
    {40, "TheOrderOfGoingIsAnother", "echo 500 >/proc/$P/oom_score_adj", "echo 300 >/proc/$P/oom_score_adj",
     "limits.oom-score-adj  found '500'"},
    {41, "AThreadIsKeptOnOneCore", "taskset -p -c 0 $P >/dev/null", "taskset -p -c 0-1023 $P >/dev/null",
     "scheduling.cores  found 'only 0' by drifter"},
    {41, "ItsDiskTrafficGoesFirst", "ionice -c 1 -p $P", "ionice -c 0 -p $P",
     "scheduling.disk  found 'open'"},
    {23, "ItHasLeftItsCgroup", "echo $P >/sys/fs/cgroup/pids/cgroup.procs",
     "echo $P >$(find /sys/fs/cgroup/pids -path '*/guard/mc/cgroup.procs')", "process.outside-cgroup"},
};
INSTANTIATE_TEST_SUITE_P(Rows, AuditDriftRowTest, testing::ValuesIn(kDrifts), [](const auto& row) {
    return fmt::format("Row{}_{}", row.param.number, row.param.name);
});

TEST_F(AuditDriftTest, Row11_AFolderOfThisMachineIsHeldOpen) {
    const auto folder = sys::open("/root", O_PATH | O_DIRECTORY).value();
    inside("hold", folder.get());
    EXPECT_THAT(told(), HasSubstr("handles.files descriptor"));
    EXPECT_THAT(told(), HasSubstr(" on /root found"));
    inside("drop");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row12_TheWorkingDirectoryIsOutside) {
    inside("chdir", sys::open("/usr/share", O_PATH | O_DIRECTORY).value().get());
    EXPECT_THAT(told(), HasSubstr("handles.files working directory on"));
    inside("chdir /srv/minecraft");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row15_AMountComesAndGoesWithTheMachines) {
    shell(
        "mkdir -p /run/guard-shared && mount -t tmpfs t /run/guard-shared && "
        "mount --make-shared /run/guard-shared");
    mount_inside("/run/guard-shared", "/tmp");
    EXPECT_THAT(told(), HasSubstr("mounts.shared /tmp found"));
    unmount_inside("/tmp");
    shell("umount /run/guard-shared; rmdir /run/guard-shared");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row15_ASharedMountOfItsOwnIsItsOwnAffair) {
    shell("nsenter -t $P -m mount --make-shared /tmp");
    EXPECT_EQ(told(), "");
    shell("nsenter -t $P -m mount --make-private /tmp");
}

TEST_F(AuditDriftTest, Row19_AProgramInMemoryIsNamed) {
    const auto memory = static_cast<int>(::syscall(SYS_memfd_create, "x", 0));
    const UniqueFd owned(memory);
    const auto program = sys::read_file(kDrifter).value();
    ASSERT_TRUE(sys::write_all(memory, program, "memory"));
    inside("start-descriptor", memory);
    std::this_thread::sleep_for(50ms);
    EXPECT_THAT(told(), HasSubstr("program.hidden a program in memory (/memfd:x"));
    inside("end-children");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row19_AProgramThatIsGoneIsNamedAndOneThatWasReplacedIsToldApart) {
    inside("start /opt/drift/other");
    std::this_thread::sleep_for(50ms);
    shell("cp $B/other $B/new");
    EXPECT_EQ(told(), "");
    shell("rm $B/other");
    EXPECT_THAT(told(), HasSubstr("program.hidden /opt/drift/other, which is gone found"));
    shell("mv $B/new $B/other");
    EXPECT_THAT(told(), HasSubstr("program.replaced program /opt/drift/other found"));
    EXPECT_THAT(told(), Not(HasSubstr("program.hidden")));
    inside("end-children");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row20_AProgramThatCouldBeWrittenInsideIsNamed) {
    inside("copy /opt/drift/drifter /var/cache/java/dropped");
    EXPECT_EQ(told(), "");
    inside("start /var/cache/java/dropped");
    std::this_thread::sleep_for(50ms);
    EXPECT_THAT(told(), HasSubstr("program.place /var/cache/java/dropped found 'granted' by dropped"));
    inside("end-children");
    inside("remove /var/cache/java/dropped");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row22_FilesThatGiveRightsAreFoundWhereOneLooksForThem) {
    EXPECT_EQ(told(audit::Files::scan), "");
    shell("cp $B/drifter /var/lib/guard/mc/risky && chmod 4755 /var/lib/guard/mc/risky");
    EXPECT_EQ(told(), "") << "walking files is asked for";
    EXPECT_THAT(told(audit::Files::scan),
                HasSubstr("files.setuid-dormant  found '/srv/minecraft/risky runs as user"));
    shell("rm /var/lib/guard/mc/risky");
    EXPECT_EQ(told(audit::Files::scan), "");
}

TEST_F(AuditDriftTest, Row24_ChildrenOutsideTheCgroupAreSeenWhereverTheirParentIs) {
    inside("start /opt/drift/other");
    shell("echo $(pgrep -P $P | head -n 1) >/sys/fs/cgroup/pids/cgroup.procs");
    EXPECT_THAT(told(), HasSubstr("process.outside-cgroup"));
    inside("end-children");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row27_ADeviceOfThisMachineIsPutInside) {
    mount_inside("/dev/kmsg", "/dev/full");
    EXPECT_THAT(told(), HasSubstr("devices /dev/full:rw found 'granted'"));
    unmount_inside("/dev/full");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row28_WaysIntoTheKernelAreNamed) {
    bpf_attr map;
    std::memset(&map, 0, sizeof map);
    map.map_type = BPF_MAP_TYPE_ARRAY;
    map.key_size = map.value_size = sizeof(int);
    map.max_entries = 1;
    const UniqueFd bpf_map(static_cast<int>(::syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map)));
    ASSERT_TRUE(bpf_map) << std::strerror(errno);
    inside("hold", bpf_map.get());
    EXPECT_THAT(told(), HasSubstr(": BPF map found"));
    inside("drop");
    const UniqueFd faults(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC)));
    ASSERT_TRUE(faults) << std::strerror(errno);
    inside("hold", faults.get());
    EXPECT_THAT(told(), HasSubstr(": userfaultfd found"));
    inside("drop");
    const UniqueFd space(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    inside("hold", space.get());
    EXPECT_THAT(told(), HasSubstr("a way into a namespace (net) found"));
    inside("drop");
    const auto outsider = sys::pidfd_open(::getpid()).value();
    inside("hold", outsider.get());
    EXPECT_THAT(told(), HasSubstr("a handle on hostile_audit_d, a process outside found"));
    inside("drop");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row29_AConnectionToAProgramOutsideIsNamed) {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_TRUE(socket) << std::strerror(errno);
    sockaddr_un address{AF_UNIX, "/var/lib/guard/mc/outside.sock"};
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(socket.get(), 1), 0);
    struct stat data{};
    ASSERT_EQ(::stat("/var/lib/guard/mc", &data), 0);
    ASSERT_EQ(::chown(address.sun_path, data.st_uid, data.st_gid), 0);
    inside("connect /srv/minecraft/outside.sock");
    EXPECT_THAT(told(), HasSubstr("connected to /var/lib/guard/mc/outside.sock of hostile_audit_d"));
    inside("drop");
    ASSERT_EQ(::unlink(address.sun_path), 0);
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row29_ASocketOfThisMachinesNetworkIsNamed) {
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    inside("hold", socket.get());
    EXPECT_THAT(told(), HasSubstr("made in this machine's network found"));
    inside("drop");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row30_SocketsThatWaitOrSeeEverythingAreNamed) {
    UniqueFd port = socket_inside(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(4444);
    ASSERT_EQ(::bind(port.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(port.get(), 1), 0);
    UniqueFd raw = socket_inside(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    UniqueFd packets = socket_inside(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    const auto text = told();
    for (const auto* word : {"4444/tcp", "raw protocol 1/ip", "packets of every kind"})
        EXPECT_THAT(text, HasSubstr(fmt::format("network.listen {} found", word)));
    for (auto* socket : {&port, &raw, &packets}) socket->reset();
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row32_TheMachinesOwnRulesGoneOrChangedAreCritical) {
    shell("nft add rule inet guard from_container accept");
    const auto all = server->findings();
    ASSERT_FALSE(all.empty());
    EXPECT_EQ(all.front().check->id, "network.filter");
    EXPECT_EQ(all.front().severity, Severity::critical);
    shell(
        "nft delete rule inet guard from_container handle $(nft -a list chain inet guard from_container | "
        "awk '$1 == \"accept\" && $2 == \"#\" {print $NF}' | tail -n 1)");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, MemoryThatMayBeWrittenAndExecutedIsGrantedWithTheCompiler) {
    inside("map-both");
    EXPECT_EQ(told(), "") << "@jit is in the profile";
    inside("unmap");
}

TEST_F(AuditDriftTest, Row39_TheValueOfAVariableIsNeverTold) {
    inside("start-preloaded /opt/drift/drifter");
    std::this_thread::sleep_for(50ms);
    EXPECT_THAT(told(), HasSubstr("LD_PRELOAD"));
    EXPECT_THAT(told(), Not(HasSubstr("secret-value")));
    inside("end-children");
}

TEST_F(AuditDriftTest, Row51_SomebodysHandleOnItsNamespacesIsNamed) {
    shell("sleep 3 9</proc/$P/ns/net >/dev/null 2>&1 & sleep 0.3");
    EXPECT_THAT(told(), HasSubstr("process.handle  found 'descriptor 9 on its network namespace' by sleep"));
    shell("sleep 3");
    shell("touch /run/kept && mount --bind /proc/$P/ns/uts /run/kept");
    EXPECT_THAT(told(), HasSubstr("process.handle  found 'a mount at /run/kept on its uts namespace'"));
    shell("umount /run/kept; rm /run/kept");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row52_ALibraryThatWasReplacedIsNamed) {
    inside("map-code /opt/drift/library");
    shell("cp $B/library $B/new && mv $B/new $B/library");
    EXPECT_THAT(told(), HasSubstr("program.replaced library /opt/drift/library found"));
    inside("unmap");
    EXPECT_EQ(told(), "");
}

TEST_F(AuditDriftTest, Row45_AProcessWhoseFirstThreadHasEndedIsNamed) {
    inside("end-first-thread");
    std::this_thread::sleep_for(50ms);
    EXPECT_THAT(told(), HasSubstr("process.leader-ended"));
}

}  // namespace
}  // namespace guard
