#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "launcher/cgroup.h"
#include "tests/support/temp_dir.h"

namespace guard::launcher {
namespace {

using support::TempDir;
using testing::Contains;
using testing::HasSubstr;

// A host made of folders: what the plan reads of cgroupfs is there, nothing else.
struct CgroupPlanTest : testing::Test {
    TempDir root;
    Posture posture = nothing_granted();

    CgroupHost v1_host(const std::set<std::string>& controllers) const {
        CgroupHost host;
        host.layout.kind = CgroupLayout::Kind::v1;
        for (const auto& controller : controllers) {
            host.layout.mounts[controller] = {root.make("v1/" + controller), "/"};
            host.layout.controllers.insert(controller);
        }
        root.write("v1/cpuset/cpuset.cpus", "0-3\n");
        root.write("v1/cpuset/cpuset.mems", "0\n");
        root.write("v1/memory/memory.memsw.limit_in_bytes", "");
        root.write("v1/cpu/cpu.cfs_quota_us", "");
        return host;
    }
    CgroupHost v1_host() const {
        return v1_host({"memory", "cpu", "cpuacct", "cpuset", "pids", "devices", "freezer"});
    }
    CgroupHost v2_host() const {
        CgroupHost host;
        host.layout.kind = CgroupLayout::Kind::v2;
        host.layout.mounts[""] = {root.make("v2"), "/"};
        host.layout.controllers = {"memory", "cpu", "cpuset", "pids", "io"};
        host.own[""] = "/";
        root.write("v2/cpuset.cpus.effective", "0-3\n");
        return host;
    }
    CgroupPlan plan(const CgroupHost& host, const std::set<std::string>& optional = {}) const {
        auto planned = plan_cgroup_on(host, posture, optional, "web");
        EXPECT_TRUE(planned) << (planned ? "" : describe(planned.error()));
        return planned.value_or(CgroupPlan{});
    }
    Error refusal(const CgroupHost& host, const std::set<std::string>& optional = {}) const {
        auto planned = plan_cgroup_on(host, posture, optional, "web");
        EXPECT_FALSE(planned);
        return planned ? Error{} : planned.error();
    }
};

std::string written(const CgroupPlan& plan, const std::string& file) {
    const auto row = std::ranges::find(plan.writes, file, &CgroupPlan::Write::file);
    return row == plan.writes.end() ? "nothing" : row->value;
}

TEST_F(CgroupPlanTest, V1HasALeafInEveryHierarchyItNeeds) {
    const auto made = plan(v1_host());
    EXPECT_EQ(made.leaves.size(), 7U);
    EXPECT_EQ(made.leaves.at("memory"), root / "v1/memory/guard/web");
    EXPECT_EQ(made.paths.at("memory"), "/guard/web");
    EXPECT_EQ(made.will_make.size(), 7U);
}

TEST_F(CgroupPlanTest, WhatAnEmptyProfileMaySpendIsLimited) {
    const auto made = plan(v1_host());
    EXPECT_EQ(written(made, "memory.limit_in_bytes"), std::to_string(512ULL << 20U));
    EXPECT_EQ(written(made, "memory.memsw.limit_in_bytes"), std::to_string(512ULL << 20U));
    EXPECT_EQ(written(made, "pids.max"), "128");
    EXPECT_EQ(written(made, "cpu.cfs_quota_us"), "100000");
    EXPECT_EQ(written(made, "devices.deny"), "a");
}

TEST_F(CgroupPlanTest, MemoryIsWrittenBeforeTheSumWithSwap) {
    const auto made = plan(v1_host());
    const auto memory = std::ranges::find(made.writes, "memory.limit_in_bytes", &CgroupPlan::Write::file);
    const auto sum = std::ranges::find(made.writes, "memory.memsw.limit_in_bytes", &CgroupPlan::Write::file);
    EXPECT_LT(memory, sum);  // the kernel refuses a sum below the part
}

TEST_F(CgroupPlanTest, AllDevicesAreDeniedBeforeAnyIsAllowed) {
    const auto made = plan(v1_host());
    const auto deny = std::ranges::find(made.writes, "devices.deny", &CgroupPlan::Write::file);
    const auto allow = std::ranges::find(made.writes, "devices.allow", &CgroupPlan::Write::file);
    EXPECT_LT(deny, allow);
}

TEST_F(CgroupPlanTest, NoneMeansNothingIsWritten) {
    posture.limits = Limits{{"memory", {}}, {"swap", {}}, {"cpus", {}}, {"pids", {}}};
    for (const auto& host : {v1_host(), v2_host()})
        for (const auto& row : plan(host).writes)
            EXPECT_THAT(row.key, testing::AnyOf("limits.cpuset", "filesystem.devices"));
}

TEST_F(CgroupPlanTest, AMissingControllerStopsTheLaunch) {
    auto host = v1_host();
    host.layout.controllers.erase("pids");
    host.layout.mounts.erase("pids");
    const auto error = refusal(host);
    EXPECT_EQ(error.attempt, "enforce limits.pids");
    EXPECT_THAT(error.reason, HasSubstr("no controller pids"));
    EXPECT_THAT(error.fix, HasSubstr("optional = [\"limits.pids\"]"));
}

TEST_F(CgroupPlanTest, OptionalLetsAMissingFeaturePassAndSaysSo) {
    auto host = v1_host();
    host.layout.controllers.erase("pids");
    host.layout.mounts.erase("pids");
    const auto made = plan(host, {"limits.pids"});
    ASSERT_EQ(made.gaps.size(), 1U);
    EXPECT_THAT(made.gaps.front(), HasSubstr("limits.pids is not enforced"));
    EXPECT_FALSE(made.limits.contains("pids"));
    EXPECT_TRUE(made.limits.contains("memory"));
}

TEST_F(CgroupPlanTest, AKernelWithoutSwapAccountingIsAGapOnlyWhereAllowed) {
    auto host = v1_host();
    std::remove((root / "v1/memory/memory.memsw.limit_in_bytes").c_str());
    EXPECT_EQ(refusal(host).attempt, "enforce limits.swap");
    EXPECT_EQ(plan(host, {"limits.swap"}).gaps.size(), 1U);
}

TEST_F(CgroupPlanTest, AHostWithoutCgroupsCanOnlyHoldNoLimit) {
    EXPECT_THAT(refusal(CgroupHost{}).reason, HasSubstr("no cgroups"));
    posture.limits = Limits{{"memory", {}}};
    EXPECT_TRUE(plan(CgroupHost{}).will_make.empty());
}

TEST_F(CgroupPlanTest, V2HasOneLeaf) {
    const auto made = plan(v2_host());
    EXPECT_TRUE(made.unified);
    ASSERT_EQ(made.will_make.size(), 1U);
    EXPECT_EQ(made.leaves.at(""), root / "v2/guard/web");
    EXPECT_EQ(written(made, "memory.max"), std::to_string(512ULL << 20U));
    EXPECT_EQ(written(made, "memory.swap.max"), "0");
    EXPECT_EQ(written(made, "cpu.max"), "100000 100000");
    EXPECT_THAT(made.enable, testing::IsSupersetOf({"memory", "cpu", "pids"}));
    EXPECT_TRUE(made.step_aside.empty());
    EXPECT_FALSE(made.devices.empty());
}

TEST_F(CgroupPlanTest, ADelegatedCgroupKeepsItsLeavesAndStepsAside) {
    auto host = v2_host();
    host.own[""] = "/user.slice/run-7.scope";
    host.delegated = true;
    root.write("v2/user.slice/run-7.scope/cpuset.cpus.effective", "0-1\n");
    const auto made = plan(host);
    EXPECT_EQ(made.leaves.at(""), root / "v2/user.slice/run-7.scope/guard/web");
    EXPECT_EQ(made.paths.at(""), "/user.slice/run-7.scope/guard/web");
    EXPECT_EQ(made.step_aside, root / "v2/user.slice/run-7.scope/guard-supervisor");
}

TEST_F(CgroupPlanTest, WithoutRootTheDeviceProgramIsAGap) {
    auto host = v2_host();
    host.is_root = false;
    const auto made = plan(host);
    EXPECT_TRUE(made.devices.empty());
    EXPECT_THAT(made.gaps, Contains(HasSubstr("devices")));
}

TEST_F(CgroupPlanTest, HybridKillsByTheV2Side) {
    auto host = v1_host();
    host.layout.kind = CgroupLayout::Kind::hybrid;
    host.layout.mounts[""] = {root.make("unified"), "/"};
    EXPECT_EQ(plan(host).leaves.at(""), root / "unified/guard/web");
}

TEST_F(CgroupPlanTest, ControllersMountedTogetherShareALeaf) {
    auto host = v1_host();
    host.layout.mounts["cpuacct"] = host.layout.mounts["cpu"];
    EXPECT_EQ(plan(host).will_make.size(), 6U);
}

TEST_F(CgroupPlanTest, CoresOfTheHostCanBeChosen) {
    posture.cpuset = Grants<std::uint32_t>{{0, 2}};
    for (const auto& host : {v1_host(), v2_host()}) {
        const auto made = plan(host);
        EXPECT_EQ(written(made, "cpuset.cpus"), "0,2");
        EXPECT_EQ(made.cpuset.all, (std::set<std::uint32_t>{0, 2}));
    }
}

TEST_F(CgroupPlanTest, AllCoresAreNoLimit) {
    posture.cpuset = Grants<std::uint32_t>{{0, 1, 2, 3}};
    EXPECT_TRUE(plan(v1_host()).cpuset.all.empty());
}

TEST_F(CgroupPlanTest, CoresThatAreNotThereAreNamed) {
    posture.cpuset = Grants<std::uint32_t>{{0, 7}};
    EXPECT_THAT(describe(refusal(v1_host())), HasSubstr("limit the cores to 0,7: this machine has 0-3"));
}

TEST_F(CgroupPlanTest, ADeviceThatIsNoneIsNamed) {
    posture.devices = Grants<std::string>{{"/etc/passwd:rw"}};
    EXPECT_THAT(describe(refusal(v1_host())), HasSubstr("/etc/passwd: it is no device"));
    posture.devices = Grants<std::string>{{"/dev/none-such:rw"}};
    EXPECT_THAT(describe(refusal(v1_host())), HasSubstr("no such file"));
}

TEST_F(CgroupPlanTest, ADeclaredDeviceIsAllowedAsDeclared) {
    posture.devices = Grants<std::string>{{"/dev/tty:r"}};
    const auto made = plan(v1_host());
    EXPECT_THAT(made.writes, Contains(testing::Field(&CgroupPlan::Write::value, "c 5:0 r")));
}

// Runs a device program as the kernel would: only the instructions that it is made of.
bool allows(const std::vector<bpf_insn>& program, std::uint32_t access_type, std::uint32_t major,
            std::uint32_t minor) {
    const std::array<std::uint32_t, 3> context{access_type, major, minor};
    std::array<std::uint32_t, 11> reg{};
    for (std::size_t at = 0; at < program.size(); ++at) {
        const auto& step = program[at];
        const auto value = static_cast<std::uint32_t>(step.imm);
        switch (step.code) {
            case BPF_LDX | BPF_MEM | BPF_W:
                reg.at(step.dst_reg) = context.at(static_cast<std::size_t>(step.off) / 4);
                break;
            case BPF_ALU | BPF_MOV | BPF_X: reg.at(step.dst_reg) = reg.at(step.src_reg); break;
            case BPF_ALU | BPF_MOV | BPF_K: reg.at(step.dst_reg) = value; break;
            case BPF_ALU | BPF_AND | BPF_K: reg.at(step.dst_reg) &= value; break;
            case BPF_ALU | BPF_RSH | BPF_K: reg.at(step.dst_reg) >>= value; break;
            case BPF_JMP | BPF_JNE | BPF_K:
                if (reg.at(step.dst_reg) != value) at += static_cast<std::size_t>(step.off);
                break;
            case BPF_JMP | BPF_EXIT: return reg[0] == 1;
            default: ADD_FAILURE() << "instruction " << int{step.code}; return false;
        }
    }
    ADD_FAILURE() << "ran off the end";
    return false;
}

TEST(DeviceProgramTest, ItAnswersAsTheRulesSay) {
    const std::vector<DeviceRule> rules{{'c', 1, 3, true}, {'c', 136, {}, true}, {'b', 8, 0, false}};
    const auto program = device_program(rules);
    for (const std::uint32_t type : {BPF_DEVCG_DEV_BLOCK, BPF_DEVCG_DEV_CHAR})
        for (std::uint32_t access = 1; access < 8; ++access)
            for (const std::uint32_t major : {1U, 8U, 136U, 137U})
                for (const std::uint32_t minor : {0U, 3U, 4U}) {
                    const auto granted = std::ranges::any_of(rules, [&](const DeviceRule& rule) {
                        const auto bits =
                            BPF_DEVCG_ACC_READ | (rule.write ? unsigned{BPF_DEVCG_ACC_WRITE} : 0U);
                        return (rule.type == 'c') == (type == BPF_DEVCG_DEV_CHAR) && rule.major == major &&
                               (!rule.minor || *rule.minor == minor) && (access & ~bits) == 0;
                    });
                    EXPECT_EQ(allows(program, access << 16U | type, major, minor), granted)
                        << type << " " << access << " " << major << ":" << minor;
                }
}

}  // namespace
}  // namespace guard::launcher
