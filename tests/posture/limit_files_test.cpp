#include "posture/limit_files.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace guard {
namespace {

using Texts = std::map<std::string, std::string>;

// What a leaf's files hold after everything in `limits` was written. One file can get several lines (io.max).
Texts written(CgroupFiles version, const Limits& limits, const DeviceNumbers& devices = {}) {
    Texts texts;
    for (const auto& [item, bound] : limits) {
        const auto files = limit_files(version, item, limits, devices);
        EXPECT_TRUE(files) << item << (files ? "" : describe(files.error()));
        if (!files) continue;
        for (const auto& file : *files) texts[file.file] += file.text + "\n";
    }
    return texts;
}

struct Case {
    const char* name;
    Limits limits;
    Texts v1, v2;
};
const std::vector<Case> kCases{
    {"Memory",
     {{"memory", {2ULL << 30U}}},
     {{"memory.limit_in_bytes", "2147483648\n"}},
     {{"memory.max", "2147483648\n"}}},
    {"MemoryAndSwap",
     {{"memory", {1ULL << 20U}}, {"swap", {1ULL << 12U}}},
     {{"memory.limit_in_bytes", "1048576\n"}, {"memory.memsw.limit_in_bytes", "1052672\n"}},
     {{"memory.max", "1048576\n"}, {"memory.swap.max", "4096\n"}}},
    {"SwapWithoutBound",
     {{"memory", {1ULL << 20U}}, {"swap", {}}},
     {{"memory.limit_in_bytes", "1048576\n"}, {"memory.memsw.limit_in_bytes", "-1\n"}},
     {{"memory.max", "1048576\n"}, {"memory.swap.max", "max\n"}}},
    {"OneAndAHalfCores",
     {{"cpus", {1'500'000}}},
     {{"cpu.cfs_period_us", "100000\n"}, {"cpu.cfs_quota_us", "150000\n"}},
     {{"cpu.max", "150000 100000\n"}}},
    {"AHundredthOfACoreNeedsNoLongerPeriod",
     {{"cpus", {10'000}}},
     {{"cpu.cfs_period_us", "100000\n"}, {"cpu.cfs_quota_us", "1000\n"}},
     {{"cpu.max", "1000 100000\n"}}},
    {"LessThanAHundredthOfACore",
     {{"cpus", {5'000}}},
     {{"cpu.cfs_period_us", "1000000\n"}, {"cpu.cfs_quota_us", "5000\n"}},
     {{"cpu.max", "5000 1000000\n"}}},
    {"AllCores",
     {{"cpus", {}}},
     {{"cpu.cfs_period_us", "100000\n"}, {"cpu.cfs_quota_us", "-1\n"}},
     {{"cpu.max", "max 100000\n"}}},
    {"Weights",
     {{"cpu-weight", {100}}, {"io-weight", {200}}},
     {{"cpu.shares", "1024\n"}, {"blkio.weight", "1000\n"}},
     {{"cpu.weight", "100\n"}, {"io.weight", "200\n"}}},
    {"Processes", {{"pids", {256}}}, {{"pids.max", "256\n"}}, {{"pids.max", "256\n"}}},
    {"ProcessesWithoutBound", {{"pids", {}}}, {{"pids.max", "max\n"}}, {{"pids.max", "max\n"}}},
    {"DiskTraffic",
     {{"io-max /dev/sda read", {1000}}, {"io-max /dev/sda write", {2000}}},
     {{"blkio.throttle.read_bps_device", "8:0 1000\n"}, {"blkio.throttle.write_bps_device", "8:0 2000\n"}},
     {{"io.max", "8:0 rbps=1000\n8:0 wbps=2000\n"}}},
};
const DeviceNumbers kDevices{{"/dev/sda", "8:0"}};

class LimitFilesTest : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(All, LimitFilesTest, testing::ValuesIn(kCases),
                         [](const auto& row) { return row.param.name; });

TEST_P(LimitFilesTest, V1FilesAreWrittenAsTheKernelReadsThem) {
    EXPECT_EQ(written(CgroupFiles::v1, GetParam().limits, kDevices), GetParam().v1);
}
TEST_P(LimitFilesTest, V2FilesAreWrittenAsTheKernelReadsThem) {
    EXPECT_EQ(written(CgroupFiles::v2, GetParam().limits, kDevices), GetParam().v2);
}
TEST_P(LimitFilesTest, WhatWasWrittenIsToldAsItIsKept) {
    for (const auto version : {CgroupFiles::v1, CgroupFiles::v2})
        EXPECT_EQ(limits_in(version, written(version, GetParam().limits, kDevices), kDevices),
                  kept_limits(version, GetParam().limits));
}

TEST(LimitFileTest, EveryWeightSurvivesTheWayThere) {
    for (std::uint64_t weight = 1; weight <= 10'000; ++weight) {
        const Limits limits{{"cpu-weight", {weight}}};
        EXPECT_EQ(limits_in(CgroupFiles::v2, written(CgroupFiles::v2, limits)), limits);
        EXPECT_EQ(limits_in(CgroupFiles::v1, written(CgroupFiles::v1, limits)),
                  kept_limits(CgroupFiles::v1, limits));
        EXPECT_EQ(kept_limits(CgroupFiles::v1, limits), limits);
    }
}

TEST(LimitFileTest, CoresAreToldAsTheirQuotaKeepsThem) {
    for (std::uint64_t cores = 1; cores < 3'000'000; cores += 997) {
        const Limits limits{{"cpus", {cores}}};
        EXPECT_EQ(limits_in(CgroupFiles::v2, written(CgroupFiles::v2, limits)),
                  kept_limits(CgroupFiles::v2, limits))
            << cores;
    }
}

TEST(LimitFileTest, V1RoundsTheSumOfMemoryAndSwap) {
    const Limits limits{{"memory", {1'000'001}}, {"swap", {4095}}};
    const auto kept = kept_limits(CgroupFiles::v1, limits);
    EXPECT_EQ(kept.at("memory").most, 999'424U);
    EXPECT_EQ(kept.at("swap").most, 4096U);
    EXPECT_EQ(kept_limits(CgroupFiles::v2, limits).at("swap").most, 0U);
}

TEST(LimitFileTest, V1TellsNoBoundAsAHugeNumber) {
    const auto limits =
        limits_in(CgroupFiles::v1, {{"memory.limit_in_bytes", "9223372036854771712\n"},
                                    {"memory.memsw.limit_in_bytes", "9223372036854771712\n"}});
    EXPECT_EQ(limits.at("memory").most, std::nullopt);
    EXPECT_EQ(limits.at("swap").most, std::nullopt);
}

TEST(LimitFileTest, AFileThatIsMissingGivesNoEntry) {
    EXPECT_TRUE(limits_in(CgroupFiles::v1, {}).empty());
    EXPECT_FALSE(limits_in(CgroupFiles::v2, {{"memory.max", "max\n"}}).contains("swap"));
}

TEST(LimitFileTest, TheKernelsOwnShareOfTheDiskIsNoLimit) {
    EXPECT_TRUE(limits_in(CgroupFiles::v2, {{"io.weight", "default 100\n"}}).empty());
    EXPECT_EQ(limits_in(CgroupFiles::v2, {{"io.weight", "default 150\n8:0 300\n"}}).at("io-weight").most,
              150U);
}

TEST(LimitFileTest, ADeviceWithoutANameKeepsItsNumber) {
    const auto limits = limits_in(CgroupFiles::v2,
                                  {{"io.max",
                                    "8:16 rbps=5 wbps=max riops=max wiops=max\n8:0 rbps=max wbps=7 "
                                    "riops=max wiops=max\n"}},
                                  kDevices);
    EXPECT_EQ(limits, (Limits{{"io-max 8:16 read", {5}}, {"io-max /dev/sda write", {7}}}));
}

TEST(LimitFileTest, V1CantBoundSwapWithoutMemory) {
    const Limits limits{{"memory", {}}, {"swap", {0}}};
    const auto files = limit_files(CgroupFiles::v1, "swap", limits);
    ASSERT_FALSE(files);
    EXPECT_NE(files.error().reason.find("memory has no limit"), std::string::npos);
    EXPECT_TRUE(limit_files(CgroupFiles::v2, "swap", limits));
}

TEST(LimitFileTest, AnUnknownDeviceIsNamed) {
    const auto files = limit_files(CgroupFiles::v2, "io-max /dev/nope read", {}, kDevices);
    ASSERT_FALSE(files);
    EXPECT_NE(describe(files.error()).find("/dev/nope is no block device"), std::string::npos);
}

TEST(LimitFileTest, NamesAreThoseThatLimitsInReads) {
    for (const auto version : {CgroupFiles::v1, CgroupFiles::v2}) {
        const auto names = limit_file_names(version);
        for (const auto& test : kCases)
            for (const auto& [file, text] : version == CgroupFiles::v1 ? test.v1 : test.v2)
                EXPECT_TRUE(std::ranges::any_of(names, [&](const LimitFile& row) {
                    return row.file == file;
                })) << file;
    }
}

TEST(CpuListTest, RangesGoThereAndBack) {
    for (const auto* text : {"", "0", "0-1", "0,2,4", "0-1,4", "0-3,8-11"}) {
        const auto cpus = parse_cpu_list(text);
        ASSERT_TRUE(cpus) << text;
        EXPECT_EQ(format_cpu_list(*cpus), text);
    }
    EXPECT_EQ(parse_cpu_list("0-2\n")->all, (std::set<std::uint32_t>{0, 1, 2}));
}

TEST(CpuListTest, AnythingElseFails) {
    for (const auto* text : {"a", "1-", "-1", "3-1", "0-99999999", "0;1", "1,,2", " 1"})
        EXPECT_FALSE(parse_cpu_list(text)) << text;
}

}  // namespace
}  // namespace guard
