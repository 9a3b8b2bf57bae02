#include "report/place.h"

#include <gtest/gtest.h>

namespace guard::report {
namespace {

TEST(PlaceTest, AFileBelowTheRootIsNamedFromThere) {
    const Tree tree{"/home/alice/server", "/home/alice/server/profiles"};
    EXPECT_EQ(path_in_tree("minecraft.toml", tree), "profiles/minecraft.toml");
    EXPECT_EQ(path_in_tree("./groups/../minecraft.toml", tree), "profiles/minecraft.toml");
    EXPECT_EQ(path_in_tree("/home/alice/server/a.toml", tree), "a.toml");
}

TEST(PlaceTest, AFileOutsideTheRootKeepsItsWholePath) {
    EXPECT_EQ(path_in_tree("../x.toml", {"/home/alice", "/home/alice"}), "/home/x.toml");
    EXPECT_EQ(path_in_tree("/home/alice2/x.toml", {"/home/alice", "/home/alice"}), "/home/alice2/x.toml");
}

TEST(PlaceTest, WithoutATreeAPathStaysAsItIs) {
    EXPECT_EQ(path_in_tree("profiles/x.toml", {}), "profiles/x.toml");
}

TEST(PlaceTest, WhatNobodyWroteStandsAtTheStartOfItsProfile) {
    Findings all;
    all.examined = {{"minecraft", 1, 1, "minecraft.toml"}};
    Finding finding;
    finding.where = {"built in", 0, 0};
    finding.subjects = {{.unit = "minecraft"}};
    EXPECT_EQ(place_of(finding, all).value().path, "minecraft.toml");
    EXPECT_EQ(place_of(finding, all).value().line, 1U);
    finding.subjects = {{.unit = "portfolio"}};
    EXPECT_FALSE(place_of(finding, all).has_value());
}

TEST(UriTest, WhatAUriCannotHoldIsEncoded) {
    EXPECT_EQ(uri_of("a b/c%.toml"), "a%20b/c%25.toml");
    EXPECT_EQ(uri_of("/etc/guard/x.toml"), "file:///etc/guard/x.toml");
}

}  // namespace
}  // namespace guard::report
