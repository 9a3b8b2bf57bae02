#include "audit/mounts.h"

#include <gtest/gtest.h>

namespace guard::audit {
namespace {

MountTree tree_in(const std::string& text, const std::map<std::string, std::string>& sources = {}) {
    const auto mounts = parse_mountinfo(text);
    EXPECT_TRUE(mounts);
    return tree_of(*mounts, sources);
}

TEST(MountsTest, ABindIsToldByTheSourceItStoodForAtLaunch) {
    const auto tree =
        tree_in("5 1 254:0 /var/lib/guard/mc /srv/mc rw,nosuid,nodev,noexec,idmapped - ext4 /dev/vda rw\n",
                {{"254:0 /var/lib/guard/mc", "/var/lib/guard/mc"}});
    const auto& mount = tree.at("/srv/mc");
    EXPECT_EQ(mount.type, "bind");
    EXPECT_EQ(mount.source, "/var/lib/guard/mc");
    EXPECT_EQ(mount.grants.all, std::set{MountGrant::write});
    EXPECT_TRUE(mount.idmap);
}

TEST(MountsTest, ADirectoryNobodyLaunchedWithIsNamedByItsDevice) {
    const auto tree = tree_in("5 1 254:0 /root /media ro,nosuid,nodev,noexec - ext4 /dev/vda rw\n");
    EXPECT_EQ(tree.at("/media").source, "/root on ext4 device 254:0");
}

TEST(MountsTest, MemoryOfThisMachinesIsToldByItsPlaceAndNotAsMadeAfresh) {
    const auto mounts = parse_mountinfo(
        "5 1 0:25 / /a rw - tmpfs t rw\n"
        "6 1 0:25 /lock /b rw - tmpfs t rw\n"
        "7 1 0:26 / /c rw - tmpfs t rw\n");
    ASSERT_TRUE(mounts);
    const auto tree = tree_of(*mounts, {}, {{"0:25", "/run"}});
    EXPECT_EQ(tree.at("/a").type, "bind");
    EXPECT_EQ(tree.at("/a").source, "/run");
    EXPECT_EQ(tree.at("/b").source, "/run/lock");
    EXPECT_EQ(tree.at("/c").type, "tmpfs");
}

TEST(MountsTest, AFileSystemThatIsReadOnlyGrantsNoWriting) {
    const auto tree = tree_in("5 1 0:9 / /x rw,nosuid,nodev,noexec - tmpfs t ro,size=64k\n");
    EXPECT_TRUE(tree.at("/x").grants.all.empty());
    EXPECT_EQ(tree.at("/x").size.most, 65536U);
}

TEST(MountsTest, EachFlagThatIsNotSetIsAGrant) {
    const auto tree = tree_in("5 1 0:9 / /x rw - tmpfs t rw\n");
    EXPECT_EQ(tree.at("/x").grants.all.size(), 4U);
    EXPECT_EQ(tree.at("/x").size.most, std::nullopt);
}

TEST(MountsTest, TheGeneratedRootIsTheHostsOwnWord) {
    EXPECT_EQ(tree_in("1 0 0:9 / / ro - tmpfs t rw,size=4096k\n").at("/").type, "host");
}

TEST(MountsTest, AGroupIsSharedOnlyWhereTheMachineHasItToo) {
    const auto mounts = parse_mountinfo(
        "5 1 0:5 / /tmp rw shared:12 - tmpfs t rw\n"
        "6 1 0:6 / /srv rw master:13 - tmpfs t rw\n"
        "7 1 0:7 / /run rw - tmpfs t rw\n");
    ASSERT_TRUE(mounts);
    EXPECT_EQ(shared_places(*mounts, {"13", "99"}).all, std::set<std::string>{"/srv"});
}

}  // namespace
}  // namespace guard::audit
