#include <gmock/gmock.h>

#include <algorithm>

#include "review/json_input.h"
#include "review/review.h"
#include "tests/review/moby_like.h"
#include "tests/support/temp_dir.h"

// Profiles of container runtimes, compared with each other and with guard's own.
namespace guard::review {
namespace {

using namespace std::chrono;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class JsonReviewTest : public testing::Test {
protected:
    Result<Review> reviewed(const std::string& base, const std::string& head) const {
        return review({.folder = folder.path(),
                       .base = folder.write("base.json", base),
                       .head = folder.write("head.json", head),
                       .shipped = {GUARD_SOURCE_DIR "/profiles"},
                       .today = 2026y / November / 24});
    }
    std::vector<std::string> told(const json& base, const json& head) const {
        const auto made = reviewed(base.dump(1), head.dump(1));
        EXPECT_TRUE(made.has_value()) << describe(made.error());
        std::vector<std::string> lines;
        for (const auto& finding : made->findings)
            lines.push_back(finding.title + finding.reason + ": " + finding.notes.means);
        return lines;
    }
    support::TempDir folder;
};

json entry(const json& names, const char* action = "SCMP_ACT_ALLOW") {
    return {{"names", names}, {"action", action}};
}

TEST_F(JsonReviewTest, TheSameInAnotherOrderIsNoChange) {
    auto head = support::moby_like();
    std::ranges::reverse(head["syscalls"]);
    std::ranges::reverse(head["syscalls"].back()["names"]);
    EXPECT_THAT(told(support::moby_like(), head), IsEmpty());
}

TEST_F(JsonReviewTest, AChangedOneIsToldExactlyAndNothingElse) {
    EXPECT_THAT(
        told(support::moby_like(), support::moby_changed()),
        UnorderedElementsAre(
            HasSubstr("newly allows io_uring_setup: refused (EPERM) -> allowed, with any arguments"),
            HasSubstr("newly allows io_uring_enter"), HasSubstr("newly allows io_uring_register"),
            HasSubstr("newly allows userfaultfd"),
            HasSubstr("newly allows clone: refused (EPERM) -> allowed, where flags has CLONE_NEWUSER"),
            HasSubstr(
                "newly allows personality: refused (EPERM) -> allowed, where persona is ADDR_NO_RANDOMIZE"),
            HasSubstr(
                "no longer allows personality: allowed -> refused (EPERM), where persona is PER_LINUX32"),
            HasSubstr(
                "no longer allows socket: allowed -> refused (EPERM), where domain is 0x10 (AF_NETLINK) to "
                "0x25"),
            HasSubstr("rules about sockets can be walked around by the i386 table")));
}

TEST_F(JsonReviewTest, WhatACapabilityOpenedAndAllMayDoNowIsToldCallByCall) {
    auto head = support::moby_like();
    for (auto& entry : head["syscalls"])
        if (entry.contains("includes") && entry["includes"]["caps"] == json({"CAP_SYS_ADMIN"}))
            entry.erase("includes");
    const auto lines = told(support::moby_like(), head);
    for (const auto* call :
         {"mount", "umount2", "unshare", "setns", "bpf", "quotactl", "sethostname", "syslog"})
        EXPECT_THAT(lines, testing::Contains(HasSubstr(std::string("newly allows ") + call)));
    EXPECT_THAT(lines, testing::Contains(HasSubstr("newly allows clone3: refused (ENOSYS) -> allowed")));
    EXPECT_THAT(lines,
                testing::Contains(AllOf(HasSubstr("newly allows clone: "), HasSubstr("CLONE_NEWUSER"))));
}

TEST_F(JsonReviewTest, AChangeBehindACapabilityIsToldWithIt) {
    auto head = support::moby_like();
    for (auto& entry : head["syscalls"])
        if (entry.contains("includes") && entry["includes"]["caps"] == json({"CAP_SYS_ADMIN"}))
            entry["names"].push_back("keyctl");
    EXPECT_THAT(told(support::moby_like(), head),
                ElementsAre(AllOf(HasSubstr("newly allows keyctl"), HasSubstr("with CAP_SYS_ADMIN"))));
}

TEST_F(JsonReviewTest, ADefaultOrAnErrorThatChangesIsAChangedFailure) {
    auto head = support::moby_like();
    head["defaultErrnoRet"] = 38;
    for (const auto& line : told(support::moby_like(), head)) EXPECT_THAT(line, HasSubstr("ENOSYS"));
    EXPECT_THAT(told(support::moby_like(), head), testing::Not(IsEmpty()));
}

TEST_F(JsonReviewTest, TwoTestsOfOneArgumentAreEachEnoughAsRuntimesReadThem) {
    auto base = support::moby_like();
    auto head = base;
    auto rule = entry({"bpf"});
    rule["args"] = {{{"index", 0}, {"value", 1}, {"op", "SCMP_CMP_NE"}},
                    {{"index", 0}, {"value", 2}, {"op", "SCMP_CMP_NE"}}};
    head["syscalls"].push_back(rule);
    rule["args"] = json::array();
    base["syscalls"].push_back(rule);
    EXPECT_THAT(told(base, head), IsEmpty()) << "two NE allow everything";
}

TEST_F(JsonReviewTest, WhatItAsksOfCapabilitiesIsWorkedOutForDockersDefaultsAndSaid) {
    const auto made = reviewed(support::moby_like().dump(), support::moby_like().dump());
    ASSERT_TRUE(made.has_value());
    ASSERT_FALSE(made->verdict.notes.empty());
    EXPECT_THAT(made->verdict.notes[0], HasSubstr("docker's default capabilities"));
}

TEST_F(JsonReviewTest, AnActionThatNoProfileHasIsUnknownAndNotDropped) {
    auto head = support::moby_like();
    head["syscalls"].push_back(entry({"bpf"}, "SCMP_ACT_NOTIFY"));
    EXPECT_THAT(told(support::moby_like(), head), ElementsAre(HasSubstr("asks a supervisor")));
}

TEST_F(JsonReviewTest, AListOfDenialsAllowsEverythingElse) {
    const json base{
        {"defaultAction", "SCMP_ACT_ALLOW"},
        {"syscalls", {entry({"bpf", "keyctl"}, "SCMP_ACT_ERRNO"), entry({"clone3"}, "SCMP_ACT_ERRNO")}}};
    auto head = base;
    head["syscalls"][0]["names"] = {"bpf"};
    EXPECT_THAT(told(base, head), ElementsAre(HasSubstr("newly allows keyctl: refused (EPERM) -> allowed")));
    EXPECT_THAT(told(head, base),
                ElementsAre(HasSubstr("no longer allows keyctl: allowed -> refused (EPERM)")));
    head = base;
    head["syscalls"][1]["errnoRet"] = 38;
    EXPECT_THAT(told(base, head),
                ElementsAre(HasSubstr("refuses clone3 otherwise: refused (EPERM) -> refused (ENOSYS)")));
}

TEST_F(JsonReviewTest, AnErrorThatRulesCannotSayIsUnknownWhereItDiffers) {
    auto base = support::moby_like();
    base["defaultErrnoRet"] = 13;
    EXPECT_THAT(told(base, base), IsEmpty());
    EXPECT_THAT(told(support::moby_like(), base),
                ElementsAre(HasSubstr("guard does not judge defaultErrnoRet")));
}

TEST_F(JsonReviewTest, ItCanBeComparedWithAProfile) {
    const auto made = review({.folder = folder.path(),
                              .base = GUARD_SOURCE_DIR "/profiles/base.toml",
                              .head = folder.write("moby.json", support::moby_like().dump()),
                              .shipped = {GUARD_SOURCE_DIR "/profiles"},
                              .today = 2026y / November / 24});
    ASSERT_TRUE(made.has_value()) << describe(made.error());
    EXPECT_EQ(made->verdict.access, Access::more);
    for (const auto& finding : made->findings)
        EXPECT_TRUE(finding.check->id.starts_with("seccomp.")) << finding.check->id;
}

struct BadJson {
    const char* name;
    std::string text;
    const char* says;
};
void PrintTo(const BadJson& bad, std::ostream* out) { *out << bad.name; }
class BadJsonTest : public JsonReviewTest, public testing::WithParamInterface<BadJson> {};

TEST_P(BadJsonTest, EndsInOneClearSentence) {
    const auto made = reviewed(support::moby_like().dump(), GetParam().text);
    ASSERT_TRUE(made.has_value());
    ASSERT_THAT(made->diagnostics, SizeIs(1));
    EXPECT_THAT(made->diagnostics[0].message, HasSubstr("cannot read head.json: "));
    EXPECT_THAT(made->diagnostics[0].message, HasSubstr(GetParam().says));
    EXPECT_EQ(made->verdict.access, Access::unknown);
}

INSTANTIATE_TEST_SUITE_P(
    Of, BadJsonTest,
    testing::Values(
        BadJson{"FiftyMegabytes", std::string(50U << 20U, ' '), "larger than"},
        BadJson{"AMillionBrackets", std::string(1'000'000, '['), "nested deeper"},
        BadJson{"NoJson", "guard = 1", "it is not JSON"},
        BadJson{"SomethingElse", "{\"a\": 1}", "neither a seccomp profile"},
        BadJson{"AList", "[]", "not an object"},
        BadJson{"AnUnknownAction", "{\"defaultAction\": \"SCMP_ACT_MAYBE\"}", "no such action"},
        BadJson{"AWrongType", "{\"defaultAction\": 3}", "not of its type"},
        BadJson{
            "AWrongOperator",
            R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"op":"SCMP_CMP_X"}]}]})",
            "no such operator"},
        BadJson{
            "ASeventhArgument",
            R"({"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW","args":[{"index":6,"op":"SCMP_CMP_EQ"}]}]})",
            "arguments 0 to 5"}),
    [](const auto& row) { return row.param.name; });

json oci() {
    return {{"ociVersion", "1.1.0"},
            {"hostname", "web"},
            {"root", {{"path", "rootfs"}, {"readonly", true}}},
            {"process",
             {{"user", {{"uid", 1000}, {"gid", 1000}}},
              {"noNewPrivileges", true},
              {"args", {"/bin/web"}},
              {"capabilities",
               {{"bounding", {"CAP_KILL"}}, {"effective", {"CAP_KILL"}}, {"permitted", {"CAP_KILL"}}}},
              {"rlimits", {{{"type", "RLIMIT_NOFILE"}, {"hard", 1024}, {"soft", 1024}}}}}},
            {"mounts",
             {{{"destination", "/proc"}, {"type", "proc"}, {"source", "proc"}},
              {{"destination", "/data"},
               {"type", "bind"},
               {"source", "/srv/data"},
               {"options", {"rbind", "ro"}}}}},
            {"linux",
             {{"namespaces", {{{"type", "pid"}}, {{"type", "mount"}}, {{"type", "network"}}}},
              {"maskedPaths", {"/proc/kcore", "/proc/keys"}},
              {"resources", {{"memory", {{"limit", 268435456}}}, {"pids", {{"limit", 100}}}}},
              {"seccomp",
               {{"defaultAction", "SCMP_ACT_ERRNO"},
                {"architectures", {"SCMP_ARCH_X86_64"}},
                {"syscalls", {entry({"read", "write"})}}}}}}};
}

TEST_F(JsonReviewTest, AConfigIsReadIntoEveryPartOfAPosture) {
    auto head = oci();
    head["process"]["capabilities"]["effective"].push_back("CAP_SYS_ADMIN");
    head["process"]["noNewPrivileges"] = false;
    head["linux"]["namespaces"].erase(0);
    head["mounts"][1]["options"] = {"rbind", "rw"};
    head["linux"]["resources"]["memory"]["limit"] = 536870912;
    head["linux"]["maskedPaths"].erase(0);
    head["linux"]["seccomp"]["syscalls"].push_back(entry({"bpf"}));
    head["process"]["user"]["uid"] = 0;
    EXPECT_THAT(
        told(oci(), head),
        UnorderedElementsAre(
            HasSubstr("root inside is root of this machine"), HasSubstr("set-user-id programs of a mount"),
            HasSubstr("newly holds CAP_SYS_ADMIN"), HasSubstr("set-user-id works"),
            HasSubstr("pid namespace: own -> this machine's"), HasSubstr("may newly write to /data"),
            HasSubstr("memory limit 256 MiB -> 512 MiB"), HasSubstr("newly sees /proc/kcore"),
            HasSubstr("newly allows bpf"), HasSubstr("runs as user id 0 inside instead of 1000")));
}

TEST_F(JsonReviewTest, WhatNoPostureHoldsIsUnknownWhereItDiffersAndElseNoNoise) {
    auto head = oci();
    EXPECT_THAT(told(oci(), head), IsEmpty());
    head["linux"]["sysctl"] = {{"net.ipv4.ip_forward", "1"}};
    head["process"]["args"] = {"/bin/other"};
    EXPECT_THAT(told(oci(), head),
                ElementsAre(HasSubstr("guard does not judge linux.sysctl.net.ipv4.ip_forward")));
}

TEST_F(JsonReviewTest, NothingOfAMountOrThePersonalityIsDroppedInSilence) {
    auto head = oci();
    head["mounts"][1]["options"] = {"rbind", "ro", "rshared", "noatime"};
    EXPECT_THAT(told(oci(), head), ElementsAre(HasSubstr("mounts in /data come and go with this machine's")));
    head = oci();
    head["linux"]["rootfsPropagation"] = "shared";
    EXPECT_THAT(told(oci(), head), ElementsAre(HasSubstr("mounts in / come and go with this machine's")));
    head = oci();
    head["mounts"][1]["options"] = {"rbind", "ro", "uid=0"};
    EXPECT_THAT(told(oci(), head), ElementsAre(HasSubstr("/data is mounted with uid=0 instead of nothing")));
    head = oci();
    head["linux"]["personality"] = {{"domain", "LINUX32"}};
    EXPECT_THAT(told(oci(), head), ElementsAre(HasSubstr("execution settings 0x0 -> 0x8")));
    head = oci();
    head["linux"]["resources"]["cpu"] = {{"cpus", "0-3"}};
    EXPECT_THAT(told(oci(), head), ElementsAre(HasSubstr("does not judge linux.resources.cpu.cpus")));
}

TEST_F(JsonReviewTest, AnAbiOrADefaultIsToldOnceNotForEachCapability) {
    auto head = support::moby_like();
    head["archMap"][0]["subArchitectures"] = {"SCMP_ARCH_X86"};
    EXPECT_THAT(told(support::moby_like(), head),
                ElementsAre(HasSubstr("no longer lets in programs for x32")));
    head = support::moby_like();
    head["defaultErrnoRet"] = 38;
    EXPECT_THAT(told(support::moby_like(), head),
                ElementsAre(HasSubstr("refuses what it does not allow otherwise")));
    head = support::moby_like();
    head["defaultAction"] = "SCMP_ACT_ALLOW";
    EXPECT_THAT(told(support::moby_like(), head),
                ElementsAre(HasSubstr("newly allows every call that it does not name")));
}

TEST_F(JsonReviewTest, MoreCasesThanAFilterHoldsAreRefusedAtOnce) {
    auto head = support::moby_like();
    auto test = json::array();
    for (int i = 0; i < 6; ++i)
        test.push_back({{"index", i}, {"value", 0x5555'5555'5555'5555}, {"op", "SCMP_CMP_GE"}});
    head["syscalls"].push_back({{"names", {"mmap"}}, {"action", "SCMP_ACT_ALLOW"}, {"args", test}});
    EXPECT_THAT(told(support::moby_like(), head), ElementsAre(HasSubstr("more than 4096 cases")));
    head = support::moby_like();
    for (int i = 0; i < 70; ++i) {
        const json other{{"index", 0}, {"value", 0x5555'5555'5555'5555 + i}, {"op", "SCMP_CMP_NE"}};
        head["syscalls"].push_back({{"names", {"mmap"}}, {"action", "SCMP_ACT_ALLOW"}, {"args", {other}}});
    }
    EXPECT_THAT(told(support::moby_like(), head), ElementsAre(HasSubstr("more than 4096 cases")));
}

TEST_F(JsonReviewTest, AConfigWithoutAFilterAllowsEveryCall) {
    auto head = oci();
    head["linux"].erase("seccomp");
    EXPECT_THAT(told(oci(), head), testing::Contains(HasSubstr("runs without a system call filter")));
}

}  // namespace
}  // namespace guard::review
