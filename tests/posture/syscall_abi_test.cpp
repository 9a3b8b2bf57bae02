#include "posture/syscall_abi.h"

#include <gtest/gtest.h>
#include <linux/audit.h>

#include <set>

namespace guard {
namespace {

TEST(SyscallAbiTest, ANumberMeansAnotherCallInEachAbi) {
    EXPECT_EQ(find_syscall(Abi::x86_64, 59)->name, "execve");
    EXPECT_EQ(find_syscall(Abi::i386, 11)->name, "execve");
    EXPECT_EQ(find_syscall(Abi::x32, kX32Bit + 520)->name, "execve");
    EXPECT_EQ(find_syscall(Abi::x32, kX32Bit + 59), nullptr);
    EXPECT_EQ(find_syscall(Abi::x32, 520), nullptr);
    EXPECT_EQ(find_syscall(Abi::x86_64, kX32Bit), nullptr);
}

TEST(SyscallAbiTest, HolesAreNoCalls) {
    for (const std::uint32_t number : {222U, 251U, 387U, 500U, 5000U, ~0U})
        EXPECT_EQ(find_syscall(Abi::i386, number), nullptr) << number;
}

TEST(SyscallAbiTest, NoCallHasTwoNumbersInOneAbi) {
    for (const auto& abi : kAbis) {
        std::set<const SyscallRow*> seen;
        for (std::uint32_t i = 0; i < kEndOfNumbers; ++i) {
            const auto* const row = find_syscall(abi.abi, abi.abi == Abi::x32 ? kX32Bit + i : i);
            if (row != nullptr) EXPECT_TRUE(seen.insert(row).second) << abi.name << " " << row->name;
        }
        EXPECT_GT(seen.size(), 350U) << abi.name;
    }
}

TEST(SyscallAbiTest, TheAbiIsTheArchAndTheBit) {
    EXPECT_EQ(find_abi(AUDIT_ARCH_X86_64, 0)->abi, Abi::x86_64);
    EXPECT_EQ(find_abi(AUDIT_ARCH_X86_64, ~0U)->abi, Abi::x86_64);
    EXPECT_EQ(find_abi(AUDIT_ARCH_X86_64, kX32Bit)->abi, Abi::x32);
    EXPECT_EQ(find_abi(AUDIT_ARCH_I386, kX32Bit)->abi, Abi::i386);
    EXPECT_EQ(find_abi(AUDIT_ARCH_AARCH64, 0), nullptr);
}

}  // namespace
}  // namespace guard
