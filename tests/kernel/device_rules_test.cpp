#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/cgroup_layout.h"
#include "base/sys.h"
#include "tests/support/container.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// On cgroup v2 a program decides which devices a container may use: taken away, or another put in its place,
// it is found.
namespace guard {
namespace {

using ::testing::HasSubstr;

const support::PrivateState kPrivate;

long bpf(int command, bpf_attr& attributes) {
    return ::syscall(SYS_bpf, command, &attributes, sizeof attributes);
}
bpf_attr nothing() {
    bpf_attr attributes;
    std::memset(&attributes, 0, sizeof attributes);
    return attributes;
}

class DeviceRulesTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (const auto why = support::Container::none_here()) GTEST_SKIP() << *why;
        const auto layout = find_cgroup_layout();
        if (!layout || !layout->unified()) GTEST_SKIP() << "this machine has no pure cgroup v2";
        const auto profile = folder_.write("sleeper.toml",
                                           "guard = 1\nextends = [\"base\"]\n"
                                           "[process]\ncommand = [\"/bin/sleep\", \"1000\"]\n");
        container_.emplace("one", profile);
        ASSERT_EQ(container_->launched().status, 0) << container_->launched().err;
        const auto& cgroups = container_->record.bindings.cgroups;
        ASSERT_TRUE(cgroups.contains(""));
        auto opened = sys::open(*cgroup_folder(*layout, "", cgroups.at("")), O_RDONLY | O_DIRECTORY);
        ASSERT_TRUE(opened) << describe(opened.error());
        cgroup_ = *std::move(opened);
        ASSERT_EQ(container_->told(), "");
    }

    /// The one program that is attached.
    [[nodiscard]] UniqueFd attached() const {
        std::array<std::uint32_t, 8> ids{};
        auto attributes = nothing();
        attributes.query.target_fd = static_cast<std::uint32_t>(cgroup_.get());
        attributes.query.attach_type = BPF_CGROUP_DEVICE;
        attributes.query.prog_ids = reinterpret_cast<std::uint64_t>(ids.data());
        attributes.query.prog_cnt = ids.size();
        EXPECT_EQ(bpf(BPF_PROG_QUERY, attributes), 0) << std::strerror(errno);
        EXPECT_EQ(attributes.query.prog_cnt, 1U);
        attributes = nothing();
        attributes.prog_id = ids[0];
        return UniqueFd(static_cast<int>(bpf(BPF_PROG_GET_FD_BY_ID, attributes)));
    }
    /// A program that lets any device be used.
    [[nodiscard]] static UniqueFd any_device() {
        std::array<bpf_insn, 2> program{};
        program[0].code = BPF_ALU64 | BPF_MOV | BPF_K;
        program[0].imm = 1;
        program[1].code = BPF_JMP | BPF_EXIT;
        auto attributes = nothing();
        attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
        attributes.insns = reinterpret_cast<std::uint64_t>(program.data());
        attributes.insn_cnt = program.size();
        attributes.license = reinterpret_cast<std::uint64_t>("Apache-2.0");
        return UniqueFd(static_cast<int>(bpf(BPF_PROG_LOAD, attributes)));
    }
    void change(int command, const UniqueFd& program) const {
        auto attributes = nothing();
        attributes.target_fd = static_cast<std::uint32_t>(cgroup_.get());
        attributes.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
        attributes.attach_type = BPF_CGROUP_DEVICE;
        attributes.attach_flags = command == BPF_PROG_ATTACH ? BPF_F_ALLOW_MULTI : 0U;
        EXPECT_EQ(bpf(command, attributes), 0) << std::strerror(errno);
    }

    support::TempDir folder_;
    std::optional<support::Container> container_;
    UniqueFd cgroup_;
};

TEST_F(DeviceRulesTest, AProgramThatIsTakenAwayOrReplacedIsFoundAndGoneWhenItIsBack) {
    const auto own = attached(), other = any_device();
    ASSERT_TRUE(own);
    ASSERT_TRUE(other) << std::strerror(errno);
    change(BPF_PROG_DETACH, own);
    EXPECT_THAT(container_->told(), HasSubstr("devices any device: no program decides"));
    change(BPF_PROG_ATTACH, other);
    EXPECT_THAT(container_->told(), HasSubstr("devices any device: another program decides"));
    change(BPF_PROG_ATTACH, own);
    EXPECT_EQ(container_->told(), "") << "what one refuses is refused";
    change(BPF_PROG_DETACH, other);
    EXPECT_EQ(container_->told(), "");
}

}  // namespace
}  // namespace guard
