#include "audit/foreign_mounts.h"

#include <gtest/gtest.h>

namespace guard::audit {
namespace {

MountLine line_of(std::string device, std::string root, std::string place, std::string type = "ext4") {
    MountLine line;
    line.device = std::move(device);
    line.root = std::move(root);
    line.place = std::move(place);
    line.type = std::move(type);
    return line;
}

Mount mount_of(std::string type, std::string source = "", std::set<MountGrant> grants = {}) {
    Mount mount;
    mount.type = std::move(type);
    mount.source = std::move(source);
    mount.grants.all = std::move(grants);
    return mount;
}

TEST(ForeignMountsTest, ABindIsNamedByThePathOnThisMachine) {
    const std::vector<MountLine> host{line_of("8:1", "/", "/"), line_of("8:2", "/alice", "/home/alice")};
    const std::vector<MountLine> inside{line_of("8:1", "/srv/www", "/var/www"),
                                        line_of("8:2", "/alice/music", "/music")};
    const auto paths = host_paths(inside, host);
    EXPECT_EQ(paths.at("8:1 /srv/www"), "/srv/www");
    EXPECT_EQ(paths.at("8:2 /alice/music"), "/home/alice/music");
}

TEST(ForeignMountsTest, ThisMachinesRootIsNamedAsSuch) {
    const std::vector<MountLine> host{line_of("8:1", "/", "/")};
    EXPECT_EQ(host_paths(host, host).at("8:1 /"), "/");
}

TEST(ForeignMountsTest, WhatThisMachineDoesNotShowHasNoPath) {
    const std::vector<MountLine> host{line_of("8:1", "/", "/")}, inside{line_of("0:99", "/", "/")};
    EXPECT_TRUE(host_paths(inside, host).empty());
}

TEST(ForeignMountsTest, FileSystemsMadeAfreshAreCustomary) {
    const MountTree declared{{"/", mount_of("host")}};
    const MountTree observed{{"/", mount_of("overlay")},
                             {"/proc", mount_of("proc", "", {MountGrant::write})},
                             {"/etc/hosts", mount_of("bind", "/var/lib/containers/hosts")},
                             {"/dev/null", mount_of("bind", "/dev/null", {MountGrant::write})}};
    EXPECT_EQ(without_customary(observed, declared), declared);
}

TEST(ForeignMountsTest, AWritableSysfsAndABindFromThisMachineAreNot) {
    const MountTree declared{{"/", mount_of("host")}};
    MountTree observed = declared;
    observed["/sys"] = mount_of("sysfs", "", {MountGrant::write});
    observed["/host"] = mount_of("bind", "/home");
    EXPECT_EQ(without_customary(observed, declared), observed);
}

TEST(ForeignMountsTest, ARootThatIsThisMachinesOwnStaysWhatItIs) {
    const MountTree declared{{"/", mount_of("host")}}, observed{{"/", mount_of("bind", "/")}};
    EXPECT_EQ(without_customary(observed, declared).at("/").source, "/");
}

}  // namespace
}  // namespace guard::audit
