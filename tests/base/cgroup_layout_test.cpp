#include "base/cgroup_layout.h"

#include <gtest/gtest.h>

#include "base/digest.h"
#include "tests/support/temp_dir.h"

namespace guard {
namespace {

using support::TempDir;
using Kind = CgroupLayout::Kind;

constexpr const char* kTmpfs = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n";
constexpr const char* kV1 =
    "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n";

CgroupLayout layout_of(const TempDir& root, const std::string& mountinfo) {
    root.write("proc/self/mountinfo", "23 1 8:1 / / rw - ext4 /dev/sda rw\n" + mountinfo);
    auto layout = find_cgroup_layout(root.path());
    EXPECT_TRUE(layout) << describe(layout.error());
    return layout.value_or(CgroupLayout{});
}

TEST(CgroupLayoutTest, NoMountIsNone) {
    const TempDir root;
    EXPECT_EQ(layout_of(root, "").kind, Kind::none);
}

TEST(CgroupLayoutTest, V1NamesTheControllersOfEachMount) {
    const TempDir root;
    const auto layout = layout_of(root, std::string(kTmpfs) + kV1);
    EXPECT_EQ(layout.kind, Kind::v1);
    EXPECT_EQ(layout.controllers, (std::set<std::string>{"cpu", "cpuacct", "memory"}));
    EXPECT_EQ(layout.mounts.at("cpu").folder, root / "sys/fs/cgroup/cpu,cpuacct");
    EXPECT_TRUE(layout.mounts.contains("name=systemd"));
}

TEST(CgroupLayoutTest, V1BesideV2IsHybrid) {
    const TempDir root;
    const auto layout = layout_of(
        root, std::string(kTmpfs) + kV1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
    EXPECT_EQ(layout.kind, Kind::hybrid);
    EXPECT_EQ(layout.mounts.at("").folder, root / "sys/fs/cgroup/unified");
}

TEST(CgroupLayoutTest, V2TellsWhatIsOffered) {
    const TempDir root;
    root.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
    const auto layout = layout_of(root, "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    EXPECT_TRUE(layout.unified());
    EXPECT_EQ(layout.controllers, (std::set<std::string>{"cpu", "cpuset", "io", "memory", "pids"}));
}

TEST(CgroupLayoutTest, AMountOnTopHidesTheOneBelow) {
    const TempDir root;
    const auto layout =
        layout_of(root, std::string(kTmpfs) + kV1 +
                            "93 32 0:29 /part /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
    EXPECT_EQ(layout.mounts.at("memory").shows, "/part");
    EXPECT_EQ(cgroup_folder(layout, "memory", "/part/guard/web"), root / "sys/fs/cgroup/memory/guard/web");
    EXPECT_EQ(cgroup_folder(layout, "memory", "/party"), std::nullopt);
    EXPECT_EQ(cgroup_folder(layout, "memory", "/"), std::nullopt);
    EXPECT_EQ(cgroup_path(layout, "memory", root / "sys/fs/cgroup/memory/guard/web"), "/part/guard/web");
}

TEST(CgroupLayoutTest, FoldersAndPathsAreOneAnothersReverse) {
    const TempDir root;
    const auto layout = layout_of(root, std::string(kTmpfs) + kV1);
    for (const auto* path : {"/", "/guard", "/guard/web"})
        EXPECT_EQ(cgroup_path(layout, "cpu", cgroup_folder(layout, "cpu", path).value()), path);
    EXPECT_EQ(cgroup_folder(layout, "pids", "/guard"), std::nullopt);
}

TEST(ProcCgroupTest, EveryHierarchyHasItsPath) {
    const auto paths = parse_proc_cgroup("4:cpu,cpuacct:/a\n9:name=systemd:/b:c\n0::/d\nnonsense\n");
    EXPECT_EQ(paths, (CgroupPaths{{"cpu", "/a"}, {"cpuacct", "/a"}, {"name=systemd", "/b:c"}, {"", "/d"}}));
}

// FIPS 180-4 gives the first two; the lengths around a block's end are where padding goes wrong.
TEST(DigestTest, KnownTextsHaveTheirKnownDigest) {
    EXPECT_EQ(digest_of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(digest_of(std::string(55, 'a')),
              "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
    EXPECT_EQ(digest_of(std::string(56, 'a')),
              "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
    EXPECT_EQ(digest_of(std::string(64, 'a')),
              "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

}  // namespace
}  // namespace guard
