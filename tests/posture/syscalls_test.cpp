#include "posture/syscalls.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <algorithm>
#include <set>
#include <string>

#include "posture/constants.h"

namespace guard {
namespace {

TEST(SyscallsTest, NoNumberIsTwoCalls) {
    std::set<int> numbers;
    for (const auto& row : syscalls()) {
        if (row.x86_64 < 0) continue;
        EXPECT_TRUE(numbers.insert(row.x86_64).second) << row.name;
    }
}

TEST(SyscallsTest, EachRowIsFoundByNameAndNumber) {
    for (const auto& row : syscalls()) {
        EXPECT_EQ(find_syscall(row.name), &row);
        if (row.x86_64 >= 0) EXPECT_EQ(find_syscall(row.x86_64), &row);
    }
    EXPECT_EQ(find_syscall("openatt"), nullptr);
    EXPECT_EQ(find_syscall(-1), nullptr);
    EXPECT_EQ(find_syscall(400), nullptr);
}

TEST(SyscallsTest, NumbersAreThoseOfTheKernelHeaders) {
    EXPECT_EQ(find_syscall("openat")->x86_64, SYS_openat);
    EXPECT_EQ(find_syscall("clone3")->x86_64, SYS_clone3);
    EXPECT_EQ(find_syscall("socketcall")->x86_64, -1);
}

TEST(SyscallsTest, ArgumentsHaveTheWidthTheKernelLooksAt) {
    const auto mask = [](const char* call, const char* argument) {
        const auto& row = *find_syscall(call);
        return argument_mask(row, *argument_index(row, argument));
    };
    EXPECT_EQ(mask("ioctl", "request"), 0xffff'ffffU);
    EXPECT_EQ(mask("chmod", "mode"), 0xffffU);
    EXPECT_EQ(mask("mmap", "prot"), ~0ULL);
    EXPECT_EQ(mask("socketcall", "0"), ~0ULL);
}

TEST(SyscallsTest, NamesOfArgumentsAreDifferentWithinACall) {
    for (const auto& row : syscalls()) {
        std::set<std::string_view> names;
        for (const auto& argument : row.arguments)
            if (!argument.name.empty()) EXPECT_TRUE(names.insert(argument.name).second) << row.name;
    }
}

TEST(ConstantsTest, EachUseNamesAnArgumentThatExists) {
    for (const auto& row : syscalls())
        for (const auto& argument : row.arguments) {
            if (constants_of(row.name, argument.name) == ConstantSet::none) continue;
            EXPECT_FALSE(argument.name.empty()) << row.name;
        }
    EXPECT_EQ(constants_of("socket", "domain"), ConstantSet::family);
    EXPECT_EQ(constants_of("clone", "flags"), ConstantSet::clone_flags);
}

TEST(ConstantsTest, NoNameIsThereTwiceInASet) {
    std::set<std::pair<ConstantSet, std::string_view>> names;
    for (const auto& row : constants()) EXPECT_TRUE(names.emplace(row.set, row.name).second) << row.name;
}

}  // namespace
}  // namespace guard
