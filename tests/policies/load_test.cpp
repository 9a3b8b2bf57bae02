#include "policies/load.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "posture/compare.h"

namespace guard {
namespace {

using testing::Contains;
using testing::HasSubstr;

const std::string kFixtures = GUARD_SOURCE_DIR "/tests/fixtures";
const std::string kLanguage = kFixtures + "/language";

LoadOptions options() { return {{kLanguage}, {}, LoadOptions::Trust::any}; }

Loaded load(const std::string& name, std::vector<std::string> sets = {}) {
    auto wanted = options();
    wanted.sets = std::move(sets);
    return load_profile(name, wanted);
}

std::vector<Diagnostic> errors_in(const Loaded& loaded) {
    std::vector<Diagnostic> errors;
    for (const auto& diagnostic : loaded.diagnostics)
        if (diagnostic.level == Level::error) errors.push_back(diagnostic);
    return errors;
}

std::string all_messages(const Loaded& loaded) {
    std::string text;
    for (const auto& diagnostic : loaded.diagnostics) {
        text += diagnostic.message + "\n";
        for (const auto& mark : diagnostic.marks)
            text += format_where_short(mark.where) + " " + mark.note + "\n";
    }
    return text;
}

/// A directory with files of the test's own, removed at the end.
class Folder {
public:
    Folder() {
        std::string pattern = "/tmp/guard-policies-XXXXXX";
        path_ = ::mkdtemp(pattern.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { std::filesystem::remove_all(path_); }
    [[nodiscard]] const std::string& path() const { return path_; }
    std::string file(const std::string& name, const std::string& text) const {
        const auto path = path_ + "/" + name;
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

private:
    std::string path_;
};

std::string where_words(const Diagnostic& diagnostic) {
    if (diagnostic.marks.empty()) return "0:0 " + diagnostic.message;
    const auto& where = diagnostic.marks.front().where;
    return std::to_string(where.line) + ":" + std::to_string(where.column) + " " + diagnostic.message;
}

// Each broken profile says in its own comments what is to be said of it.
std::vector<std::string> expected_in(const std::string& path) {
    constexpr std::string_view kWord = "# expect: ";
    std::vector<std::string> expected;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        if (line.starts_with(kWord)) expected.push_back(line.substr(kWord.size()));
    return expected;
}

std::vector<std::string> broken_profiles() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(kFixtures + "/broken"))
        if (entry.path().extension() == ".toml") names.push_back(entry.path().stem());
    std::ranges::sort(names);
    return names;
}

class BrokenProfileTest : public testing::TestWithParam<std::string> {};

TEST_P(BrokenProfileTest, IsRefusedAtTheRightPlaces) {
    const auto path = kFixtures + "/broken/" + GetParam() + ".toml";
    const auto loaded = load(path);
    std::vector<std::string> said;
    for (const auto& error : errors_in(loaded)) said.push_back(where_words(error));
    EXPECT_THAT(said, testing::ElementsAreArray(expected_in(path)));
    EXPECT_FALSE(said.empty());
    EXPECT_FALSE(loaded.profile.has_value());
}

INSTANTIATE_TEST_SUITE_P(Broken, BrokenProfileTest, testing::ValuesIn(broken_profiles()),
                         [](const auto& row) {
                             std::string name = row.param;
                             std::ranges::replace(name, '-', '_');
                             return name;
                         });

TEST(LoadTest, ThereAreAtLeastFortyBrokenProfiles) { EXPECT_GE(broken_profiles().size(), 40U); }

TEST(LoadTest, AMegabyteOfBracketsIsRefusedWithoutAnyParser) {
    const Folder folder;
    const auto loaded = load(folder.file("a.toml", "guard = 1\nx = " + std::string(1'000'000, '[')));
    EXPECT_THAT(all_messages(loaded), HasSubstr("nested deeper than 32\na.toml:2:"));
}

TEST(LoadTest, AMegabyteOfDottedNamesIsRefused) {
    const Folder folder;
    std::string name = "a";
    for (int i = 0; i < 500'000; ++i) name += ".a";
    EXPECT_THAT(all_messages(load(folder.file("a.toml", "guard = 1\n" + name + " = 1\n"))),
                HasSubstr("nested deeper than 32"));
}

TEST(LoadTest, AFileOverOneMebibyteIsRefused) {
    const Folder folder;
    EXPECT_THAT(all_messages(load(folder.file("a.toml", "guard = 1\n" + std::string(1U << 20U, '#')))),
                HasSubstr("larger than 1 MiB"));
}

TEST(LoadTest, ABinaryFileIsRefusedWhereItBeginsToBeOne) {
    const Folder folder;
    EXPECT_THAT(all_messages(load(folder.file("a.toml", std::string("guard = 1\nx = \"\0\"\n", 18)))),
                HasSubstr("it holds a NUL byte\na.toml:2:6"));
    EXPECT_THAT(all_messages(load(folder.file("b.toml", "guard = 1\n\xff\xfe"))),
                HasSubstr("byte 0xff is no UTF-8\nb.toml:2:1"));
}

TEST(LoadTest, AFifoIsRefusedAndNeverBlocks) {
    const Folder folder;
    const auto path = folder.path() + "/a.toml";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_THAT(all_messages(load(path)), HasSubstr("it is a FIFO, not a file"));
}

TEST(LoadTest, DirectoriesAndDevicesAreRefused) {
    EXPECT_THAT(all_messages(load("/tmp/")), HasSubstr("it is a directory"));
    EXPECT_THAT(all_messages(load("/dev/null")), HasSubstr("it is a device"));
}

TEST(LoadTest, AMissingFileIsNamedWithWhatTheKernelSays) {
    EXPECT_THAT(all_messages(load("/nowhere/a.toml")),
                HasSubstr("cannot read /nowhere/a.toml: No such file"));
}

TEST(LoadTest, AMissingNameIsAnsweredWithTheNearest) {
    EXPECT_THAT(all_messages(load("publishd")), HasSubstr("did you mean `published`?"));
}

TEST(LoadTest, AnEmptyProfileGrantsNothingButTheGroupThatEveryProgramNeeds) {
    const Folder folder;
    const auto loaded = load(folder.file("a.toml", "guard = 1\n"));
    ASSERT_TRUE(loaded.profile) << all_messages(loaded);
    std::set<std::string> fields;
    for (const auto& change : compare(nothing_granted(), loaded.profile->posture))
        fields.insert(change.field);
    EXPECT_THAT(fields, testing::ElementsAre("seccomp.access"));
    EXPECT_TRUE(value_of(loaded.profile->posture.seccomp.access)->calls.contains("rt_sigreturn"));
}

TEST(LoadTest, EveryKeyOfTheContractIsRead) {
    const auto loaded = load("everything");
    ASSERT_TRUE(loaded.profile) << all_messages(loaded);
    const auto& posture = loaded.profile->posture;
    const auto& service = loaded.profile->service;
    EXPECT_EQ(service.users.name, "minecraft");
    EXPECT_EQ(service.stop_timeout, 60s);
    EXPECT_EQ(service.monotonic_offset, -1h);
    EXPECT_EQ(service.network.mode, NetworkMode::bridge);
    EXPECT_EQ(value_of(posture.limits)->at("memory").most, 2ULL << 30U);
    EXPECT_EQ(value_of(posture.limits)->at("cpus").most, 1'500'000U);
    EXPECT_EQ(value_of(posture.limits)->at("io-max /dev/sda write").most, 20ULL << 20U);
    EXPECT_EQ(value_of(posture.rlimits)->at("nproc:soft").most, 64U);
    EXPECT_EQ(value_of(posture.caps.ambient)->mask, 1U << 10U);
    EXPECT_FALSE(value_of(posture.mounts)->contains("/srv/old"));
    EXPECT_TRUE(value_of(posture.mounts)->at("/srv/minecraft").idmap);
    EXPECT_THAT(value_of(posture.network.publish)->all, Contains("any:8000-8001:80-81/udp"));
    EXPECT_THAT(value_of(posture.network.egress)->all, Contains("example.org:443/tcp"));
    EXPECT_THAT(value_of(posture.network.listen)->all, testing::IsSupersetOf({"9000/tcp", "2525/tcp"}));
    EXPECT_EQ(loaded.profile->waivers.size(), 1U);
}

TEST(LoadTest, ParentsComeFirstAndReplaceDropsWhatWasInherited) {
    const auto loaded = load("child");
    ASSERT_TRUE(loaded.profile) << all_messages(loaded);
    const auto& posture = loaded.profile->posture;
    EXPECT_THAT(value_of(posture.network.publish)->all, testing::ElementsAre("lan:25566:25565/tcp"));
    EXPECT_THAT(value_of(posture.network.egress)->all, testing::ElementsAre("dns", "internet:443/tcp"));
    const auto& tmp = value_of(posture.mounts)->at("/tmp");
    EXPECT_EQ(tmp.size.most, 2ULL << 20U);
    EXPECT_TRUE(tmp.grants.all.contains(MountGrant::write));
    EXPECT_EQ(loaded.profile->sources.front().path, kLanguage + "/child.toml");
}

TEST(LoadTest, DenyBeatsEveryAllowWhereverItStands) {
    const auto loaded = load("child");
    ASSERT_TRUE(loaded.profile);
    const auto& calls = value_of(loaded.profile->posture.seccomp.access)->calls;
    EXPECT_FALSE(calls.contains("close"));
    EXPECT_TRUE(calls.contains("lseek"));
}

TEST(LoadTest, TheFileChoosesBetweenAncestorsThatDisagree) {
    const auto loaded = load("chooses");
    ASSERT_TRUE(loaded.profile) << all_messages(loaded);
    EXPECT_EQ(value_of(loaded.profile->posture.limits)->at("pids").most, 100U);
}

TEST(LoadTest, ADisagreementShowsBothPlacesAndWhatToWrite) {
    const auto text = all_messages(load(kFixtures + "/broken/extends-disagreement.toml"));
    EXPECT_THAT(text, HasSubstr("512 at left.toml:5:8; write `pids = 512` under [limits]"));
    EXPECT_THAT(text, HasSubstr("64 at right.toml:3:8"));
}

TEST(LoadTest, AFileExtendsItsOwnNameFurtherDownTheSearchPath) {
    const Folder own;
    const Folder shipped;
    own.file("a.toml", "guard = 1\nextends = [\"a\"]\n[limits]\nmemory = \"4GiB\"\n");
    shipped.file("a.toml", "guard = 1\n[limits]\npids = 7\n");
    const auto loaded =
        load_profile("a", {{own.path(), shipped.path(), kLanguage}, {}, LoadOptions::Trust::any});
    ASSERT_TRUE(loaded.profile) << all_messages(loaded);
    EXPECT_EQ(value_of(loaded.profile->posture.limits)->at("pids").most, 7U);
    EXPECT_EQ(value_of(loaded.profile->posture.limits)->at("memory").most, 4ULL << 30U);
}

TEST(LoadTest, EveryValueKeepsItsPlace) {
    const auto loaded = load("child");
    ASSERT_TRUE(loaded.profile);
    const auto place = [&](const std::string& path) {
        return format_where_short(origin_of(loaded.profile->origins, path));
    };
    EXPECT_EQ(place("network.publish/lan:25566:25565/tcp"), "child.toml:5:12");
    EXPECT_EQ(place("network.egress/dns"), "published.toml:5:11");
    EXPECT_EQ(place("mounts//tmp size"), "child.toml:10:19");
    EXPECT_EQ(place("mounts//tmp write"), "published.toml:10:51");
    EXPECT_EQ(place("seccomp.access/openat"), "published.toml:7:10");
    EXPECT_EQ(place("seccomp.access/lseek"), "child.toml:8:19");
    EXPECT_EQ(place("limits/memory"), "built in");
}

TEST(LoadTest, SetReplacesAndTakesWhatIsNoTomlAsText) {
    const auto loaded = load("child", {"limits.memory=4GiB", "network.publish=[\"lan:1:2/tcp\"]",
                                       "filesystem.mounts.\"/tmp\".size=8MiB"});
    ASSERT_TRUE(loaded.profile) << all_messages(loaded);
    const auto& posture = loaded.profile->posture;
    EXPECT_EQ(value_of(posture.limits)->at("memory").most, 4ULL << 30U);
    EXPECT_THAT(value_of(posture.network.publish)->all, testing::ElementsAre("lan:1:2/tcp"));
    EXPECT_EQ(value_of(posture.mounts)->at("/tmp").size.most, 8ULL << 20U);
    EXPECT_EQ(format_where(origin_of(loaded.profile->origins, "limits.memory")), "--set");
}

TEST(LoadTest, SetCannotBringInASecondKey) {
    const auto loaded = load("child", {"process.env.A=\"x\"\n[capabilities]\nallow = [\"CAP_SYS_ADMIN\"]"});
    if (loaded.profile) EXPECT_EQ(value_of(loaded.profile->posture.caps.bounding)->mask, 0U);
}

TEST(LoadTest, AWrongSetIsToldWithItsArgument) {
    EXPECT_THAT(all_messages(load("child", {"limits.memry=1"})), HasSubstr("did you mean `memory`?"));
    EXPECT_THAT(all_messages(load("child", {"limits.memory=2G"})), HasSubstr("write \"2GiB\""));
    EXPECT_THAT(all_messages(load("child", {"nothing"})), HasSubstr("want KEY=VALUE"));
}

TEST(LoadTest, WhatOthersCanWriteIsRefusedWhereItIsActedOn) {
    const Folder folder;
    const auto path = folder.file("a.toml", "guard = 1\n");
    ASSERT_EQ(::chmod(path.c_str(), 0666), 0);
    auto wanted = options();
    wanted.trust = LoadOptions::Trust::owner_only;
    const auto refused = load_profile(path, wanted);
    EXPECT_FALSE(refused.profile);
    EXPECT_THAT(all_messages(refused), HasSubstr("everybody may change " + path));
    EXPECT_TRUE(load(path).profile);
    EXPECT_THAT(all_messages(load(path)), HasSubstr("launch would refuse"));
}

TEST(LoadTest, WhatLiesInADirectoryThatOthersCanWriteIsRefusedToo) {
    const Folder folder;
    const auto path = folder.file("open/a.toml", "guard = 1\n");
    ASSERT_EQ(::chmod((folder.path() + "/open").c_str(), 0777), 0);
    auto wanted = options();
    wanted.trust = LoadOptions::Trust::owner_only;
    EXPECT_THAT(all_messages(load_profile(path, wanted)),
                HasSubstr("everybody may change " + folder.path() + "/open"));
    ASSERT_EQ(::chmod((folder.path() + "/open").c_str(), 01777), 0);
    EXPECT_THAT(all_messages(load_profile(path, wanted)), testing::Not(HasSubstr("/open,")));
}

}  // namespace
}  // namespace guard
