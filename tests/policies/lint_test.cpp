#include "policies/lint.h"

#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "tests/support/temp_dir.h"

namespace guard {
namespace {

using namespace std::chrono;
using support::TempDir;
using testing::IsEmpty;

constexpr auto kToday = 2026y / November / 24;

const std::string kGroups = GUARD_SOURCE_DIR "/profiles";

std::vector<Finding> linted(const std::string& path) {
    const auto loaded = load_profile(path, {.search_path = {kGroups}, .lint = LoadOptions::Lint::yes});
    for (const auto& diagnostic : loaded.diagnostics)
        if (diagnostic.level == Level::error) ADD_FAILURE() << diagnostic.message;
    return lint(loaded, "x", kToday);
}

// Two files, the second extending the first; `parent` may be empty.
std::vector<Finding> linted(const std::string& parent, const std::string& child) {
    const TempDir folder;
    folder.write("parent.toml", "guard = 1\n" + parent);
    return linted(folder.write("child.toml", "guard = 1\nextends = [\"parent\"]\n" + child));
}

const Finding* find(const std::vector<Finding>& findings, std::string_view id) {
    for (const auto& finding : findings)
        if (finding.check->id == id) return &finding;
    return nullptr;
}

std::set<std::string_view> ids(const std::vector<Finding>& findings) {
    std::set<std::string_view> all;
    for (const auto& finding : findings)
        if (!finding.waiver) all.insert(finding.check->id);
    return all;
}

std::string places(const Finding& finding) {
    std::string text;
    if (finding.places.empty()) text = format_where_short(finding.where);
    for (const auto& place : finding.places)
        text += (text.empty() ? "" : " ") + format_where_short(place.where);
    return text;
}

// A slip, the profile that has it with its places, and one beside it that does not.
struct LintCase {
    const char* id;
    const char* item;
    const char* parent;
    const char* child;
    const char* where;  // the beginning of all its places
    const char* beside;
};
void PrintTo(const LintCase& row, std::ostream* out) { *out << row.id; }

constexpr const char* kRule = "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\n";

const LintCase kCases[] = {
    {"seccomp.vital-call-denied", "rt_sigreturn", "", "[seccomp]\ndeny = [\"rt_sigreturn\"]\n",
     "child.toml:4:9 base.toml:", "[seccomp]\ndeny = [\"unshare\"]\n"},
    {"seccomp.base-call-denied", "getrusage", "", "[seccomp]\ndeny = [\"getrusage\"]\n",
     "child.toml:4:9 base.toml:", "[seccomp]\ndeny = [\"unshare\"]\n"},
    {"seccomp.idle-rule", "socket", "[seccomp]\nallow = [\"socket\"]\n",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"socket\"]\n"
     "when = [{ arg = \"domain\", in = [\"AF_UNIX\"] }]\n",
     "child.toml:6:13 parent.toml:3:10",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"socketpair\"]\n"
     "when = [{ arg = \"domain\", in = [\"AF_UNIX\"] }]\n"},
    {"seccomp.dead-grant", "@io-uring", "[seccomp]\ndeny = [\"@io-uring\"]\n",
     "[seccomp]\nallow = [\"@io-uring\"]\n", "child.toml:4:10 parent.toml:3:9",
     "[seccomp]\nallow = [\"setns\"]\n"},
    {"seccomp.rules-allow-all", "personality",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"personality\"]\n"
     "when = [{ arg = \"persona\", not-in = [1] }]\n",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"personality\"]\n"
     "when = [{ arg = \"persona\", not-in = [2] }]\n",
     "parent.toml:5:13 child.toml:6:13",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"personality\"]\n"
     "when = [{ arg = \"persona\", in = [1] }]\n"},
    {"seccomp.twin-open", "vfork", "", "[seccomp]\nallow = [\"@process\"]\ndeny = [\"fork\"]\n",
     "child.toml:5:9 child.toml:4:10", "[seccomp]\nallow = [\"@process\"]\ndeny = [\"setsid\"]\n"},
    {"seccomp.wrong-half", "unshare", "",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"unshare\"]\n"
     "when = [{ arg = \"flags\", mask = \"0xffffffff00000000\", in = [0] }]\n",
     "child.toml:7:33",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"unshare\"]\n"
     "when = [{ arg = \"flags\", mask = \"0x7e020000\", in = [0] }]\n"},
    {"seccomp.half-compared", "fallocate", "",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"fallocate\"]\n"
     "when = [{ arg = \"offset\", mask = \"0xffffffff\", in = [0] }]\n",
     "child.toml:7:34",
     "[[seccomp.rule]]\neffect = \"allow\"\nwhy = \"w\"\nsyscalls = [\"fallocate\"]\n"
     "when = [{ arg = \"offset\", in = [0] }]\n"},
    {"seccomp.deny-dropped", "setns", "[seccomp]\ndeny = [\"setns\", \"bpf\"]\n",
     "[seccomp]\nreplace = [\"deny\"]\ndeny = [\"bpf\"]\n", "child.toml:4:12 parent.toml:3:9",
     "[seccomp]\nreplace = [\"deny\"]\ndeny = [\"bpf\", \"setns\"]\n"},
    {"limits.heap-over-memory", "-Xmx2g", "[limits]\nmemory = \"2GiB\"\n",
     "[process]\ncommand = [\"/usr/bin/java\", \"-Xmx2g\", \"-jar\", \"server.jar\"]\n",
     "child.toml:4:29 parent.toml:3:10",
     "[process]\ncommand = [\"/usr/bin/java\", \"-Xmx1536m\", \"-jar\", \"server.jar\"]\n"},
    {"limits.heap-over-memory", "--max-old-space-size=500", "",
     "[process]\nenv = { NODE_OPTIONS = \"--trace-gc --max-old-space-size=500\" }\n",
     "child.toml:4:24 built in", "[process]\nenv = { NODE_OPTIONS = \"--max-old-space-size=300\" }\n"},
    {"limits.heap-over-memory", "-XX:MaxRAMPercentage=95", "",
     "[process]\nenv = { JAVA_TOOL_OPTIONS = \"-XX:MaxRAMPercentage=95\" }\n", "child.toml:4:29 built in",
     "[process]\nenv = { JAVA_TOOL_OPTIONS = \"-XX:MaxRAMPercentage=70\" }\n"},
    {"profile.idle-key", "network.dns", "", "[network]\nmode = \"bridge\"\ndns = [\"9.9.9.9\"]\n",
     "child.toml:5:1", "[network]\nmode = \"bridge\"\negress = [\"dns\"]\ndns = [\"9.9.9.9\"]\n"},
    {"caps.sys-admin", "CAP_SYS_ADMIN", "", "[capabilities]\nallow = [\"CAP_SYS_ADMIN\"]\n",
     "child.toml:4:10", "[capabilities]\nallow = [\"CAP_KILL\"]\n"},
    {"caps.ignore-modes-with-host-files", "CAP_CHOWN", "[capabilities]\nallow = [\"CAP_CHOWN\"]\n",
     "[filesystem.mounts]\n\"/srv\" = { type = \"bind\", source = \"/home/alice/www\", write = true }\n",
     "parent.toml:3:10 child.toml:4:1",
     "[filesystem.mounts]\n\"/srv\" = { type = \"bind\", source = \"{data}\", write = true }\n"},
    {"waiver.unused", "caps.net-raw CAP_NET_RAW", "",
     "[[waiver]]\nfinding = \"caps.net-raw\"\nwhat = \"CAP_NET_RAW\"\nreason = \"r\"\nowner = \"alice\"\n"
     "expires = \"never\"\n",
     "child.toml:3:1",
     "[capabilities]\nallow = [\"CAP_NET_RAW\"]\n[[waiver]]\nfinding = \"caps.net-raw\"\nwhat = "
     "\"CAP_NET_RAW\"\n"
     "reason = \"r\"\nowner = \"alice\"\nexpires = \"never\"\n"},
};

class LintTest : public testing::TestWithParam<LintCase> {};

TEST_P(LintTest, IsFoundWithAllItsPlacesAndNotInTheProfileBeside) {
    const auto& row = GetParam();
    const auto findings = linted(row.parent, row.child);
    const auto* finding = find(findings, row.id);
    ASSERT_NE(finding, nullptr);
    EXPECT_EQ(finding->item, row.item);
    EXPECT_THAT(places(*finding), testing::StartsWith(row.where));
    EXPECT_EQ(finding->subjects.front().unit, "x");
    EXPECT_EQ(find(linted(row.parent, row.beside), row.id), nullptr);
}

std::string case_name(const testing::TestParamInfo<LintCase>& row) {
    auto name = std::string(row.param.id) + "_" + row.param.item;
    for (auto& character : name)
        if (std::isalnum(static_cast<unsigned char>(character)) == 0) character = '_';
    return name;
}
INSTANTIATE_TEST_SUITE_P(Lints, LintTest, testing::ValuesIn(kCases), case_name);

TEST(LintTest, EveryRowOfTheTableIsTriedHere) {
    // These three are below: one needs a file mode, one a posture of another tool, one several profiles.
    std::set<std::string_view> tried{"profile.writable-by-others", "caps.lost-at-exec", "limits.sum"};
    for (const auto& row : kCases) tried.insert(row.id);
    for (const auto& check : lint_checks()) EXPECT_TRUE(tried.contains(check.id)) << check.id;
}

TEST(LintTest, AFileThatOthersMayWriteIsFound) {
    const TempDir folder;
    const auto path = folder.write("x.toml", "guard = 1\n");
    EXPECT_THAT(ids(linted(path)), IsEmpty());
    ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
    const auto findings = linted(path);
    ASSERT_EQ(ids(findings), (std::set<std::string_view>{"profile.writable-by-others"}));
    EXPECT_EQ(findings.front().item, path);
}

TEST(LintTest, ACapabilityThatIsNotAmbientIsLostAtExec) {
    auto posture = nothing_granted();
    for (auto* set : {&posture.caps.bounding, &posture.caps.permitted, &posture.caps.effective})
        made(*set).mask = 1ULL << CAP_KILL;
    const auto found = ids(lint_posture(posture, {}, {.unit = "x"}));
    EXPECT_TRUE(found.contains("caps.lost-at-exec"));
    posture.identity.uid = Exact<std::uint32_t>{0};
    made(posture.securebits)["noroot"] = Lock::open;
    EXPECT_FALSE(ids(lint_posture(posture, {}, {.unit = "x"})).contains("caps.lost-at-exec"));
}

TEST(LintTest, RootInsideKeepsTheCapabilitiesOfItsProfile) {
    const auto findings = linted("", "[process]\nuser = \"0\"\n[capabilities]\nallow = [\"CAP_KILL\"]\n");
    EXPECT_EQ(find(findings, "caps.lost-at-exec"), nullptr);
}

TEST(LintTest, AnEmptyProfileHasNoFinding) { EXPECT_THAT(linted("", ""), IsEmpty()); }

TEST(LintTest, AChildMayCloseWhatItsParentOpened) {
    EXPECT_EQ(find(linted("[seccomp]\nallow = [\"setns\"]\n", "[seccomp]\ndeny = [\"setns\"]\n"),
                   "seccomp.dead-grant"),
              nullptr);
}

TEST(LintTest, ATwinIsFoundByTheArgumentThatOnlyOneOfThemAsks) {
    const auto rule = std::string(kRule) + "syscalls = [\"fchmodat2\"]\nwhen = [{ arg = \"mode\", ";
    const auto narrow = rule + "mask = \"S_ISUID|S_ISGID\", in = [0] }]\n";
    EXPECT_EQ(find(linted("[seccomp]\nallow = [\"@file\"]\n", narrow), "seccomp.twin-open"), nullptr);
    const auto wide = linted("[seccomp]\nallow = [\"@file\"]\n", "[seccomp]\nallow = [\"fchmodat2\"]\n");
    ASSERT_NE(find(wide, "seccomp.twin-open"), nullptr);
    EXPECT_EQ(find(wide, "seccomp.twin-open")->item, "fchmodat2");
}

class TogetherTest : public testing::Test {
protected:
    static Profile profile(const std::string& name, std::uint64_t memory,
                           std::vector<std::string> command = {"/x"}) {
        Profile profile{.name = name, .posture = nothing_granted()};
        profile.service.command = std::move(command);
        made(profile.posture.limits)["memory"].most = memory;
        profile.origins["limits.memory"] = {name + ".toml", 7, 10};
        return profile;
    }
    static constexpr std::uint64_t kGiB = 1ULL << 30U;
};

TEST_F(TogetherTest, LimitsThatAddUpToMoreThanTheMachineHasAreFoundWithEachPlace) {
    const auto one = profile("minecraft", 4 * kGiB);
    const auto other = profile("postgres", 3 * kGiB);
    const Profile* both[] = {&one, &other};
    const auto findings = lint_together(both, 8 * kGiB);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].observed, "7 GiB");
    EXPECT_EQ(findings[0].subjects.size(), 2U);
    EXPECT_EQ(places(findings[0]), "minecraft.toml:7:10 postgres.toml:7:10");
    EXPECT_THAT(lint_together(both, 16 * kGiB), IsEmpty());
}

TEST_F(TogetherTest, OneProfileAloneAndThoseThatCanOnlyBeExtendedDoNotCount) {
    const auto one = profile("minecraft", 4 * kGiB);
    const auto base = profile("base", 4 * kGiB, {});
    const Profile* both[] = {&one, &base};
    EXPECT_THAT(lint_together(both, kGiB), IsEmpty());
}

TEST(ShippedTest, EveryShippedProfileIsCleanAtMedium) {
    for (const auto* name : {"base", "runtime-jvm", "runtime-node", "net-server", "minecraft"})
        for (const auto& finding : linted(kGroups + "/" + name + ".toml"))
            EXPECT_TRUE(finding.waiver || finding.severity < Severity::medium)
                << name << ": " << finding.check->id << " " << finding.item;
}

}  // namespace
}  // namespace guard
