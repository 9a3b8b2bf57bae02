#include "audit/descriptors.h"

#include <gtest/gtest.h>

namespace guard::audit {
namespace {

TEST(DescriptorsTest, ALinkToANamespaceNamesItsTypeAndInode) {
    const auto held = namespace_in_link("mnt:[4026532177]");
    ASSERT_NE(held.row, nullptr);
    EXPECT_EQ(held.row->name, "mount");
    EXPECT_EQ(held.inode, 4026532177U);
}

TEST(DescriptorsTest, OtherLinksAreNoNamespaces) {
    for (const auto* link : {"socket:[4711]", "/tmp/net:[1]x", "anon_inode:[eventpoll]", "net:", ""})
        EXPECT_EQ(namespace_in_link(link).row, nullptr) << link;
}

}  // namespace
}  // namespace guard::audit
