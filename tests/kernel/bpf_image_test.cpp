#include "base/bpf_image.h"

#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/change_walk.h"
#include "base/task_iterator.h"
#include "tests/support/child.h"
#include "tests/support/kernel_walk.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// What one command worked out of the kernel's type information is what the next one loads.
namespace guard {
namespace {

const support::PrivateState kPrivate;

class BpfImageTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        GUARD_SKIP_UNLESS_WALKED();
        ASSERT_TRUE(ChangeWalk::open(kept));
        key = std::filesystem::directory_iterator(folder)->path().filename();
    }
    [[nodiscard]] bpf::Image image() const { return bpf::parse_image(kept.get(key).value()).value(); }
    [[nodiscard]] bool sees_this_process() const {
        auto walk = AlikeWalk::open(kept);
        const auto tasks = walk ? walk->read() : std::unexpected(walk.error());
        return tasks && std::ranges::count(*tasks, ::getpid(), &AlikeTask::tid) == 1;
    }

    support::TempDir temp;
    std::string folder = temp / "programs", key;
    KeptFiles kept{folder};
};

TEST_F(BpfImageTest, WithAKeptOneTheTypesOfTheKernelAreNotReadAgain) {
    ASSERT_TRUE(TaskIterator::open(kept));
    // From here on, nobody can work anything out of them.
    const auto without_types = [&](const KeptFiles& from) {
        return support::status_of_child([&] {
            if (::mount("/dev/null", "/sys/kernel/btf/vmlinux", nullptr, MS_BIND, nullptr) != 0) return 2;
            const bool opened = ChangeWalk::open(from) && TaskIterator::open(from) && AlikeWalk::open(from);
            ::umount2("/sys/kernel/btf/vmlinux", MNT_DETACH);
            return opened ? 0 : 1;
        });
    };
    EXPECT_EQ(without_types(kept), 0);
    EXPECT_EQ(without_types({}), 1) << "and else they would have been";
    EXPECT_TRUE(sees_this_process());
}

TEST_F(BpfImageTest, AKeptOneIsTheOneThatIsWorkedOut) {
    const auto first = image();
    EXPECT_EQ(first.programs.size(), 3U);
    EXPECT_EQ(first.maps.size(), 1U);
    std::filesystem::remove(folder + "/" + key);
    ASSERT_TRUE(ChangeWalk::open(kept));
    EXPECT_EQ(image(), first) << "whatever numbers its descriptors had";
    EXPECT_EQ(bpf::parse_image(bpf::text_of(first)), first);
}

TEST_F(BpfImageTest, OneThatTheKernelRefusesIsWorkedOutAnew) {
    const auto good = image();
    auto bad = good;
    for (auto& program : bad.programs) program.code.resize(sizeof(bpf_insn));
    kept.keep(key, bpf::text_of(bad));
    EXPECT_TRUE(sees_this_process());
    EXPECT_EQ(image(), good);
    bad = good;
    bad.programs.clear();
    kept.keep(key, bpf::text_of(bad));
    EXPECT_TRUE(sees_this_process());
    EXPECT_EQ(image(), good);
}

TEST_F(BpfImageTest, WhatIsNoImageIsNone) {
    const auto text = bpf::text_of(image());
    for (std::size_t length = 0; length < text.size(); length += 97)
        EXPECT_FALSE(bpf::parse_image(text.substr(0, length))) << length;
    EXPECT_FALSE(bpf::parse_image("a word"));
    EXPECT_FALSE(bpf::parse_image(text + "x"));
}

}  // namespace
}  // namespace guard
