#include "base/descriptor.h"

#include <gtest/gtest.h>

namespace guard {
namespace {

struct Link {
    const char* name;
    const char* link;
    DescriptorKind kind;
};
// As 6.18, 6.9 (pidfd) and 4.19 print them.
constexpr Link kLinks[] = {
    {"File", "/root", DescriptorKind::file},
    {"GoneFile", "/tmp/x (deleted)", DescriptorKind::file},
    {"Unreachable", "(unreachable)/root", DescriptorKind::file},
    {"MemoryFile", "/memfd:x (deleted)", DescriptorKind::memory_file},
    {"Socket", "socket:[4711]", DescriptorKind::socket},
    {"Pipe", "pipe:[4712]", DescriptorKind::plain},
    {"Epoll", "anon_inode:[eventpoll]", DescriptorKind::plain},
    {"Namespace", "net:[4026532177]", DescriptorKind::ns_handle},
    {"Pidfd", "anon_inode:[pidfd]", DescriptorKind::process_handle},
    {"PidfdOf6_9", "pidfd:[142839]", DescriptorKind::process_handle},
    {"IoUring", "anon_inode:[io_uring]", DescriptorKind::kernel_object},
    {"BpfMap", "anon_inode:bpf-map", DescriptorKind::kernel_object},
};

class DescriptorTest : public testing::TestWithParam<Link> {};
TEST_P(DescriptorTest, IsOfItsKind) { EXPECT_EQ(kind_of_descriptor(GetParam().link), GetParam().kind); }
INSTANTIATE_TEST_SUITE_P(Links, DescriptorTest, testing::ValuesIn(kLinks),
                         [](const auto& row) { return row.param.name; });

TEST(DescriptorTest, TheNumberInALinkIsRead) {
    EXPECT_EQ(inode_in_link("net:[4026532177]"), 4026532177U);
    EXPECT_EQ(inode_in_link("net:[x]"), std::nullopt);
    EXPECT_EQ(inode_in_link("/root"), std::nullopt);
}

TEST(DescriptorTest, AKernelObjectNamesTheCallThatMakesIt) {
    ASSERT_NE(kernel_object_of("anon_inode:bpf-prog"), nullptr);
    EXPECT_EQ(kernel_object_of("anon_inode:bpf-prog")->call, "bpf");
    EXPECT_EQ(kernel_object_of("anon_inode:[eventfd]"), nullptr);
}

}  // namespace
}  // namespace guard
