#include <gmock/gmock.h>
#include <linux/netlink.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <functional>
#include <set>

#include "posture/capability.h"
#include "posture/compare.h"
#include "posture/namespaces.h"
#include "posture/risks.h"
#include "posture/syscalls.h"

namespace guard {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

using Edit = std::function<void(Posture&)>;

Posture with(std::initializer_list<Edit> edits) {
    auto posture = nothing_granted();
    for (const auto& edit : edits) edit(posture);
    return posture;
}

std::set<std::string_view> ids_between(const Posture& from, const Posture& to) {
    std::set<std::string_view> ids;
    for (const auto& risk : risks_between(from, to)) ids.insert(risk.check->id);
    return ids;
}
std::set<std::string_view> ids_of(const Posture& posture) { return ids_between(nothing_granted(), posture); }

Edit capability(const char* name) {
    return [name](Posture& posture) {
        for (auto* set : {&posture.caps.bounding, &posture.caps.effective})
            made(*set).mask |= 1ULL << static_cast<unsigned>(capability_number(name).value());
    };
}

struct Argument {
    unsigned index;
    std::uint64_t mask, value;
};
Edit call(const char* name, std::vector<Argument> arguments = {}) {
    return [=](Posture& posture) {
        Cube cube;
        for (const auto& [index, mask, value] : arguments) {
            cube.mask.at(index) = mask;
            cube.value.at(index) = value;
        }
        made(posture.seccomp.access).calls[name].when.push_back(cube);
    };
}
Edit filter(std::function<void(FilterRules&)> edit) {
    return [edit](Posture& posture) { edit(made(posture.seccomp.access)); };
}
Edit host(const char* name) {
    return [name](Posture& posture) { made(posture.namespaces)[name] = {Relation::To::host, ""}; };
}
Edit bind(const char* source, std::set<MountGrant> grants = {}) {
    return [=](Posture& posture) {
        made(posture.mounts)["/x"] = Mount{.type = "bind", .source = source, .grants = {grants}};
    };
}
Edit mount(const char* type, std::set<MountGrant> grants) {
    return [=](Posture& posture) { made(posture.mounts)["/x"] = Mount{.type = type, .grants = {grants}}; };
}
Edit device(const char* item) {
    return [item](Posture& posture) { made(posture.devices).all.insert(item); };
}
Edit reveal(const char* path) {
    return [path](Posture& posture) { made(posture.revealed).all.insert(path); };
}
Edit map(IdLine line) {
    return [line](Posture& posture) { posture.identity.uid_map = Grants<IdLine>{{line}}; };
}
Edit egress(const char* target) {
    return [target](Posture& posture) { made(posture.network.egress).all.insert(target); };
}
void root_inside(Posture& posture) { posture.identity.uid = Exact<std::uint32_t>{0}; }
void may_gain(Posture& posture) { posture.no_new_privs = Lock::open; }
void no_memory_limit(Posture& posture) { made(posture.limits)["memory"].most.reset(); }
void hands_on(Posture& posture) { made(posture.caps.inheritable).mask = 1; }
void writable_root(Posture& posture) { made(posture.mounts)["/"].grants.all = {MountGrant::write}; }
const Edit kI386 = filter([](FilterRules& rules) { rules.abis.insert("i386"); });
constexpr std::uint64_t kAll = ~0ULL;
const auto kNewUsers = call("clone", {{0, CLONE_NEWUSER, CLONE_NEWUSER}});
const auto kNetfilter = call("socket", {{0, kAll, AF_NETLINK}, {2, kAll, NETLINK_NETFILTER}});
using enum MountGrant;

// A risk, one posture that takes it, and one beside it that does not.
struct RiskCase {
    const char* id;
    Posture taken, beside;
};
void PrintTo(const RiskCase& row, std::ostream* out) { *out << row.id; }

std::vector<RiskCase> risk_cases() {
    const auto none = nothing_granted();
    const auto cap = [&](const char* id, const char* name) {
        return RiskCase{id, with({capability(name)}), with({capability("CAP_NET_BROADCAST")})};
    };
    const auto calls = [&](const char* id, const char* name) {
        return RiskCase{id, with({call(name)}), with({call("getpid")})};
    };
    return {
        cap("caps.sys-admin", "CAP_SYS_ADMIN"),
        cap("caps.sys-module", "CAP_SYS_MODULE"),
        cap("caps.sys-rawio", "CAP_SYS_RAWIO"),
        cap("caps.sys-ptrace", "CAP_SYS_PTRACE"),
        cap("caps.dac-read-search", "CAP_DAC_READ_SEARCH"),
        cap("caps.bpf", "CAP_BPF"),
        cap("caps.perfmon", "CAP_PERFMON"),
        cap("caps.net-admin", "CAP_NET_ADMIN"),
        cap("caps.net-raw", "CAP_NET_RAW"),
        cap("caps.mknod", "CAP_MKNOD"),
        cap("caps.sys-chroot", "CAP_SYS_CHROOT"),
        cap("caps.change-user", "CAP_SETGID"),
        cap("caps.setfcap", "CAP_SETFCAP"),
        cap("caps.setpcap", "CAP_SETPCAP"),
        cap("caps.ignore-modes", "CAP_FOWNER"),
        cap("caps.sys-boot", "CAP_SYS_BOOT"),
        cap("caps.sys-time", "CAP_SYS_TIME"),
        cap("caps.syslog", "CAP_SYSLOG"),
        cap("caps.mac", "CAP_MAC_ADMIN"),
        cap("caps.audit-control", "CAP_AUDIT_CONTROL"),
        cap("caps.audit-read", "CAP_AUDIT_READ"),
        cap("caps.checkpoint-restore", "CAP_CHECKPOINT_RESTORE"),
        cap("caps.over-limits", "CAP_SYS_NICE"),
        {"caps.minor-admin", with({capability("CAP_SYS_PACCT")}), with({capability("CAP_KILL")})},
        cap("caps.minor", "CAP_NET_BIND_SERVICE"),
        {"caps.passed-on", with({hands_on, may_gain}), with({hands_on})},
        {"no-new-privs.open", with({may_gain}), none},
        calls("seccomp.io-uring", "io_uring_enter"),
        calls("seccomp.kernel-probes", "bpf"),
        calls("seccomp.userfaultfd", "userfaultfd"),
        calls("seccomp.other-processes", "pidfd_getfd"),
        calls("seccomp.mount", "move_mount"),
        {"seccomp.new-users", with({kNewUsers}), with({call("clone", {{0, CLONE_NEWUSER, 0}})})},
        {"seccomp.new-namespaces", with({call("unshare", {{0, CLONE_NEWNET, CLONE_NEWNET}})}),
         with({call("unshare", {{0, kAll, CLONE_NEWUSER}})})},
        calls("seccomp.setns", "setns"),
        calls("seccomp.clone3", "clone3"),
        calls("seccomp.open-by-handle", "open_by_handle_at"),
        calls("seccomp.kernel-code", "kexec_load"),
        calls("seccomp.keyrings", "keyctl"),
        {"seccomp.socket-crypto", with({call("socket", {{0, kAll, AF_ALG}})}),
         with({call("socket", {{0, kAll, AF_INET}})})},
        {"seccomp.socketcall", with({call("socketcall"), kI386}), with({call("socketcall")})},
        {"seccomp.socket-vm", with({call("socket")}), with({call("socket", {{0, kAll, AF_INET}})})},
        {"seccomp.socket-packet", with({call("socket")}), with({call("socket", {{0, kAll, AF_INET}})})},
        {"seccomp.socket-netfilter", with({kNetfilter}),
         with({call("socket", {{0, kAll, AF_NETLINK}, {2, kAll, NETLINK_ROUTE}})})},
        {"seccomp.personality", with({call("personality", {{0, kAll, 0x0400000}})}),
         with({call("personality", {{0, kAll, 0x20008}})})},
        calls("seccomp.file-handles", "name_to_handle_at"),
        calls("seccomp.whole-machine", "swapon"),
        calls("seccomp.obsolete", "modify_ldt"),
        calls("seccomp.move-memory", "mbind"),
        {"seccomp.machine-code", with({call("mmap")}), with({call("mmap", {{2, PROT_EXEC, 0}})})},
        {"seccomp.type-ahead", with({call("ioctl")}), with({call("ioctl", {{1, kAll, TIOCGWINSZ}})})},
        {"seccomp.off", with({[](Posture& p) { p.seccomp.mode = Lock::open; }}), none},
        {"seccomp.other-abi", with({kI386}), none},
        {"seccomp.allows-what-it-denies",
         with({filter([](auto& r) { r.on_denied = Denial::allow_and_log; })}),
         with({filter([](auto& r) { r.on_denied = Denial::kill; })})},
        {"seccomp.unknown-eperm", with({filter([](auto& r) { r.on_unknown = Denial::eperm; })}),
         with({filter([](auto& r) { r.on_unknown = Denial::kill; })})},
        {"users.host-root", with({map({0, false, 0, 10})}), with({map({0, false, 1000, 1})})},
        {"users.host-users", with({map({0, false, 1000, 1})}), with({map({0, false, 300'000, 65'536})})},
        {"namespaces.host-user", with({host("user")}), with({host("time")})},
        {"namespaces.host-pid", with({host("pid")}), with({host("uts")})},
        {"namespaces.host-mount", with({host("mount")}), none},
        {"namespaces.host-network", with({host("network")}), none},
        {"namespaces.host-ipc", with({host("ipc")}), none},
        {"namespaces.host-uts", with({host("uts")}), none},
        {"namespaces.host-cgroup", with({host("cgroup")}), none},
        {"mounts.runtime-socket", with({bind("/var/run/docker.sock")}), with({bind("/run/dbus")})},
        {"mounts.system-write", with({bind("/", {write})}), with({bind("/")})},
        {"mounts.system-part-write", with({bind("/etc/letsencrypt/", {write})}),
         with({bind("/etc2", {write})})},
        {"mounts.guard-files", with({bind("/etc/guard/profiles", {write})}),
         with({bind("/var/lib/guard/minecraft", {write})})},
        {"mounts.host-proc", with({bind("/proc/1")}), with({bind("/procession")})},
        {"mounts.cgroup-v1-write", with({mount("cgroup", {write})}), with({mount("cgroup", {})})},
        {"mounts.cgroup-write", with({mount("cgroup2", {write})}), with({mount("cgroup2", {})})},
        {"mounts.sysfs", with({bind("/sys/kernel/debug")}), with({bind("/sys/class")})},
        {"mounts.revealed-control", with({reveal("/proc/kcore")}), with({reveal("/proc/asound")})},
        {"mounts.revealed-other", with({reveal("/proc/asound")}), with({reveal("/proc/kcore")})},
        {"mounts.write-exec", with({mount("tmpfs", {write, exec})}), with({mount("tmpfs", {write})})},
        {"mounts.suid", with({mount("tmpfs", {suid})}), with({mount("tmpfs", {})})},
        {"mounts.dev", with({mount("tmpfs", {dev})}), with({mount("tmpfs", {})})},
        {"mounts.root-write", with({writable_root}), with({mount("tmpfs", {write})})},
        {"devices.memory", with({device("/dev/nvme0n1:r")}), with({device("/dev/snd/timer:rw")})},
        {"devices.driver", with({device("/dev/kvm:rw")}), with({device("/dev/snd/timer:rw")})},
        {"devices.other", with({device("/dev/snd/timer:rw")}), with({device("/dev/kvm:rw")})},
        {"limits.none", with({no_memory_limit}),
         with({[](Posture& p) { made(p.limits)["memory"].most = 1ULL << 40U; }})},
        {"network.publish-any", with({[](Posture& p) { made(p.network.publish).all = {"any:80:8080/tcp"}; }}),
         with({[](Posture& p) { made(p.network.publish).all = {"lan:80:8080/tcp"}; }})},
        {"network.egress-home", with({egress("lan:445/tcp")}), with({egress("landing.example.org:443/tcp")})},
        {"network.egress-internet", with({egress("internet")}), with({egress("internet:443/tcp")})},
        {"caps.sys-admin-with-mount", with({capability("CAP_SYS_ADMIN"), call("mount")}),
         with({capability("CAP_SYS_ADMIN")})},
        {"caps.sys-admin-with-cgroup-v1", with({capability("CAP_SYS_ADMIN"), mount("cgroup", {})}),
         with({capability("CAP_SYS_ADMIN"), mount("cgroup2", {})})},
        {"caps.sys-ptrace-with-host-pid", with({capability("CAP_SYS_PTRACE"), host("pid")}),
         with({capability("CAP_SYS_PTRACE")})},
        {"caps.bpf-with-perfmon", with({capability("CAP_BPF"), capability("CAP_NET_ADMIN")}),
         with({capability("CAP_BPF")})},
        {"caps.net-admin-with-host-network", with({capability("CAP_NET_ADMIN"), host("network")}),
         with({host("network")})},
        {"caps.mknod-without-device-list",
         with({capability("CAP_MKNOD"), device("any device by rule a *:* rwm")}),
         with({capability("CAP_MKNOD"), device("/dev/kvm:rw")})},
        {"caps.ignore-modes-with-host-files",
         with({capability("CAP_CHOWN"), bind("/home/alice/www", {write})}),
         with({capability("CAP_CHOWN"), bind("{data}", {write})})},
        {"caps.dac-read-search-with-handles",
         with({capability("CAP_DAC_READ_SEARCH"), call("open_by_handle_at")}),
         with({call("open_by_handle_at")})},
        {"caps.setfcap-with-host-users", with({capability("CAP_SETFCAP"), host("user")}),
         with({host("user")})},
        {"users.root-of-host", with({root_inside, host("user")}), with({root_inside})},
        {"seccomp.new-users-with-netfilter", with({kNewUsers, kNetfilter}), with({kNetfilter})},
        {"seccomp.other-processes-of-host", with({call("ptrace"), host("pid")}), with({call("ptrace")})},
        {"seccomp.sockets-past-the-filter",
         with({call("socket", {{0, kAll, AF_INET}}), call("socketcall"), kI386}),
         with({call("socket"), call("socketcall"), kI386})},
        {"mounts.suid-that-counts", with({mount("tmpfs", {suid}), may_gain}), with({mount("tmpfs", {suid})})},
        {"devices.fuse-with-sys-admin", with({capability("CAP_SYS_ADMIN"), device("/dev/fuse:rw")}),
         with({device("/dev/fuse:rw")})},
    };
}

class RiskTest : public testing::TestWithParam<RiskCase> {};

TEST_P(RiskTest, IsTakenByThisPostureAndNotByTheOneBesideIt) {
    EXPECT_THAT(ids_of(GetParam().taken), Contains(GetParam().id));
    EXPECT_THAT(ids_of(GetParam().beside), Not(Contains(GetParam().id)));
}

std::string case_name(const testing::TestParamInfo<RiskCase>& row) {
    std::string name = row.param.id;
    for (auto& character : name)
        if (std::isalnum(static_cast<unsigned char>(character)) == 0) character = '_';
    return name;
}
INSTANTIATE_TEST_SUITE_P(Risks, RiskTest, testing::ValuesIn(risk_cases()), case_name);

std::vector<const Check*> all_rows() {
    std::vector<const Check*> rows;
    for (const auto& risk : risks()) rows.push_back(&risk.check);
    for (const auto& pair : risk_pairs()) rows.push_back(&pair.check);
    return rows;
}

std::vector<RiskMatch> all_matches() {
    std::vector<RiskMatch> matches;
    for (const auto& risk : risks()) matches.push_back(risk.match);
    for (const auto& pair : risk_pairs()) matches.insert(matches.end(), {pair.one, pair.other});
    return matches;
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> all;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.find(' ', begin), text.size());
        if (end > begin) all.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return all;
}

TEST(RisksTest, EveryRowHasItsCase) {
    std::set<std::string_view> tried, rows;
    for (const auto& row : risk_cases()) tried.insert(row.id);
    for (const auto* row : all_rows()) rows.insert(row->id);
    EXPECT_EQ(tried, rows);
}

TEST(RisksTest, NothingGrantedTakesNoRisk) {
    EXPECT_THAT(ids_of(nothing_granted()), IsEmpty());
    for (const auto& risk : risks_between(nothing_granted(), nothing_granted()))
        ADD_FAILURE() << risk.check->id;
}

TEST(RisksTest, EveryRowHasAnIdOfItsOwnAndAllItsSentences) {
    std::set<std::string_view> ids;
    for (const auto* row : all_rows()) {
        EXPECT_TRUE(ids.insert(row->id).second) << row->id;
        EXPECT_EQ(std::ranges::count(checks(), row->id, &Check::id), 0) << row->id;
        EXPECT_EQ(find_check(row->id), row);
        EXPECT_GT(row->looser, Severity::info) << row->id;
        EXPECT_EQ(row->tighter, Severity::none) << row->id;
        for (const auto text : {row->title, row->why, row->fix, row->source})
            EXPECT_FALSE(text.empty()) << row->id;
        EXPECT_LE(row->title.size(), 72U) << row->id;
    }
}

TEST(RisksTest, EveryCapabilityHasARow) {
    for (const auto& row : kCapabilities)
        EXPECT_THAT(ids_of(with({capability(std::string(row.name).c_str())})), Not(IsEmpty())) << row.name;
}

TEST(RisksTest, EveryCapabilityCallAndArgumentThatARowNamesExists) {
    for (const auto& match : all_matches())
        for (const auto& item : words(match.items)) {
            if (match.field == "caps") {
                EXPECT_TRUE(capability_number(item)) << item;
            }
            if (match.field != "seccomp.access") continue;
            const auto* row = find_syscall(item);
            ASSERT_NE(row, nullptr) << item;
            for (const auto& test : match.arguments)
                if (!test.argument.empty()) EXPECT_TRUE(argument_index(*row, test.argument)) << item;
        }
}

TEST(RisksTest, OneRightInSeveralSetsIsOneRisk) {
    const auto taken = risks_between(nothing_granted(), with({capability("CAP_SYS_ADMIN")}));
    ASSERT_EQ(taken.size(), 1U);
    EXPECT_EQ(taken[0].sites, (std::vector<RiskSite>{{"caps.bounding", "CAP_SYS_ADMIN", "held"}}));
}

TEST(RisksTest, APairNamesBothOfItsPlacesAndComesBeforeWhatIsLess) {
    const auto taken = risks_between(nothing_granted(), with({capability("CAP_SYS_PTRACE"), host("pid")}));
    ASSERT_EQ(taken.size(), 3U);
    EXPECT_EQ(taken[0].check->id, "caps.sys-ptrace-with-host-pid");
    EXPECT_EQ(taken[0].rank(), Severity::critical);
    EXPECT_EQ(taken[0].sites, (std::vector<RiskSite>{{"caps.bounding", "CAP_SYS_PTRACE", "held"},
                                                     {"namespaces", "pid", "this machine's"}}));
}

TEST(RisksTest, WhatWasThereBeforeIsNoNewRisk) {
    const auto before = with({capability("CAP_SYS_PTRACE"), call("bpf"), bind("/etc", {write})});
    EXPECT_THAT(ids_between(before, before), IsEmpty());
    const auto after =
        with({capability("CAP_SYS_PTRACE"), call("bpf"), bind("/etc", {write, exec}), host("pid")});
    EXPECT_EQ(ids_between(before, after),
              (std::set<std::string_view>{"caps.sys-ptrace-with-host-pid", "mounts.write-exec",
                                          "namespaces.host-pid"}));
}

TEST(RisksTest, AWiderConditionIsARiskByTheValuesThatComeIn) {
    const auto narrow = with({call("personality", {{0, kAll, 0}})});
    const auto harmless = with({call("personality", {{0, kAll, 0}}), call("personality", {{0, kAll, 8}})});
    const auto risky = with({call("personality", {{0, kAll, 0}}), call("personality", {{0, kAll, 0x40000}})});
    EXPECT_THAT(ids_between(narrow, harmless), IsEmpty());
    EXPECT_THAT(ids_between(narrow, risky), testing::ElementsAre("seccomp.personality"));
    EXPECT_THAT(ids_between(risky, narrow), IsEmpty());
}

TEST(RisksTest, HighBitsThatTheKernelDoesNotLookAtHideNothing) {
    const auto hidden = with({call("socket", {{0, kAll, (1ULL << 40U) | AF_ALG}})});
    EXPECT_THAT(ids_of(hidden), Contains("seccomp.socket-crypto"));
}

TEST(RisksTest, OfOneChangeTheWorstRiskComesFirst) {
    const auto to = with({call("socket")});
    const auto changes = compare(nothing_granted(), to);
    ASSERT_EQ(changes.size(), 1U);
    const auto taken = risks_of(changes[0], nothing_granted(), to);
    ASSERT_EQ(taken.size(), 4U);
    EXPECT_EQ(taken[0].check->id, "seccomp.socket-crypto");
    EXPECT_EQ(taken[0].rank(), Severity::high);
}

TEST(RisksTest, AMountWhosePlaceBeginsWithAnothersIsNotMixedUp) {
    auto to = with({mount("tmpfs", {write, exec})});
    made(to.mounts)["/x y"] = Mount{.type = "tmpfs", .grants = {{write}}};
    std::vector<std::string> items;
    for (const auto& risk : risks_between(nothing_granted(), to)) items.push_back(risk.sites.front().item);
    EXPECT_THAT(items, testing::ElementsAre("/x"));
}

}  // namespace
}  // namespace guard
