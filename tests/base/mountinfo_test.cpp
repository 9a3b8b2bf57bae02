#include "base/mountinfo.h"

#include <gmock/gmock.h>

namespace guard {
namespace {

using testing::ElementsAre;

std::vector<std::string> visible_ids(const std::string& text) {
    const auto mounts = parse_mountinfo(text);
    EXPECT_TRUE(mounts) << describe(mounts.error());
    std::vector<std::string> ids;
    if (mounts)
        for (const auto& mount : visible_mounts(*mounts)) ids.push_back(std::to_string(mount.id));
    return ids;
}

TEST(MountinfoTest, ALineIsTakenApart) {
    const auto mounts = parse_mountinfo(
        "45 43 254:0 /srv/music /srv/music ro,nosuid,idmapped shared:12 master:3 - ext4 /dev/vda "
        "rw,discard\n");
    ASSERT_TRUE(mounts);
    const auto& mount = mounts->at(0);
    EXPECT_EQ(mount.id, 45);
    EXPECT_EQ(mount.parent, 43);
    EXPECT_EQ(mount.device, "254:0");
    EXPECT_EQ(mount.root, "/srv/music");
    EXPECT_EQ(mount.place, "/srv/music");
    EXPECT_TRUE(mount.has("idmapped"));
    EXPECT_FALSE(mount.has("rw"));
    EXPECT_TRUE(mount.super_has("rw"));
    EXPECT_THAT(mount.propagation, ElementsAre("shared:12", "master:3"));
    EXPECT_EQ(mount.type, "ext4");
    EXPECT_EQ(mount.source, "/dev/vda");
}

TEST(MountinfoTest, OctalEscapesAreDecodedAndOnlyThose) {
    EXPECT_EQ(unescape_octal(R"(/a\040b\134c\012d)"), "/a b\\c\nd");
    EXPECT_EQ(unescape_octal(R"(/ends\04)"), R"(/ends\04)");
    EXPECT_EQ(unescape_octal(R"(/no\999)"), R"(/no\999)");
}

TEST(MountinfoTest, ASourceMayBeEmpty) {
    const auto mounts = parse_mountinfo("1 0 0:5 / /x rw - tmpfs  rw,size=4k\n");
    ASSERT_TRUE(mounts);
    EXPECT_EQ(mounts->at(0).source, "");
    EXPECT_TRUE(mounts->at(0).super_has("size=4k"));
}

TEST(MountinfoTest, ALineThatIsTooShortIsAnError) {
    EXPECT_FALSE(parse_mountinfo("1 0 0:5 / /x\n"));
    EXPECT_FALSE(parse_mountinfo("a 0 0:5 / /x rw - tmpfs t rw\n"));
}

TEST(MountinfoTest, WhatLiesUnderAnotherOnTheSamePlaceIsHidden) {
    EXPECT_THAT(visible_ids("1 0 0:1 / / rw - tmpfs t rw\n"
                            "2 1 0:2 / /proc rw - proc p rw\n"
                            "3 2 0:2 /sys /proc/sys ro - proc p rw\n"
                            "4 2 0:3 / /proc rw - tmpfs t rw\n"
                            "5 4 0:3 / /proc/new rw - tmpfs t rw\n"),
                ElementsAre("1", "4", "5"));
}

TEST(MountinfoTest, ADirectoryMountedOverHidesWhatWasBelowIt) {
    EXPECT_THAT(visible_ids("1 0 0:1 / / rw - tmpfs t rw\n"
                            "2 1 0:2 / /srv/www rw - ext4 t rw\n"
                            "3 1 0:3 / /srv rw - tmpfs t rw\n"
                            "4 1 0:4 / /srvother rw - tmpfs t rw\n"),
                ElementsAre("1", "3", "4"));
}

TEST(MountinfoTest, AParentThatIsNotInTheListHidesNothing) {
    EXPECT_THAT(visible_ids("7 6 0:1 / / rw - tmpfs t rw\n8 7 0:2 / /a rw - tmpfs t rw\n"),
                ElementsAre("7", "8"));
}

}  // namespace
}  // namespace guard
