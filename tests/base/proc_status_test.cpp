#include "base/proc_status.h"

#include <gtest/gtest.h>

namespace guard {
namespace {

// As kernel 6.18 prints it for a thread of a contained JVM; lines that are not read left in between.
constexpr const char* kText =
    "Name:\tpool-2\\n: x\n"
    "Umask:\t0027\n"
    "State:\tS (sleeping)\n"
    "Tgid:\t4711\n"
    "Ngid:\t0\n"
    "Pid:\t4733\n"
    "PPid:\t4709\n"
    "TracerPid:\t12\n"
    "Uid:\t300999\t300999\t300998\t300999\n"
    "Gid:\t300999\t300999\t300999\t300999\n"
    "FDSize:\t256\n"
    "Groups:\t300020 300044 \n"
    "VmRSS:\t    1704 kB\n"
    "Threads:\t39\n"
    "CapInh:\t0000000000000000\n"
    "CapPrm:\t0000000000000400\n"
    "CapEff:\t0000000000000400\n"
    "CapBnd:\t000001ffffffffff\n"
    "CapAmb:\t0000000000000400\n"
    "NoNewPrivs:\t1\n"
    "Seccomp:\t2\n"
    "Seccomp_filters:\t3\n"
    "Cpus_allowed_list:\t0-1\n";

std::string without_line(std::string text, const std::string& name) {
    const auto at = text.find("\n" + name + ":") + 1;
    return text.erase(at, text.find('\n', at) + 1 - at);
}

TEST(ProcStatusTest, EveryLineThatDecidesRightsIsRead) {
    const auto status = parse_proc_status(kText);
    ASSERT_TRUE(status) << describe(status.error());
    EXPECT_EQ(status->name, "pool-2\\n: x");
    EXPECT_EQ(status->state, 'S');
    EXPECT_EQ(status->tgid, 4711);
    EXPECT_EQ(status->pid, 4733);
    EXPECT_EQ(status->ppid, 4709);
    EXPECT_EQ(status->tracer, 12);
    EXPECT_EQ(status->uid, (std::array<std::uint32_t, 4>{300999, 300999, 300998, 300999}));
    EXPECT_EQ(status->groups, (std::vector<std::uint32_t>{300020, 300044}));
    EXPECT_EQ(status->threads, 39U);
    EXPECT_EQ(status->cap_effective, 0x400U);
    EXPECT_EQ(status->cap_bounding, 0x1ffffffffffU);
    EXPECT_EQ(status->no_new_privs, 1U);
    EXPECT_EQ(status->seccomp, 2U);
    EXPECT_EQ(status->seccomp_filters, 3U);
    EXPECT_EQ(status->umask, 0027U);
}

TEST(ProcStatusTest, ALineThatIsMissingIsNamed) {
    const auto status = parse_proc_status(without_line(kText, "CapBnd"));
    ASSERT_FALSE(status);
    EXPECT_NE(describe(status.error()).find("CapBnd is missing"), std::string::npos);
}

TEST(ProcStatusTest, OlderKernelsDoNotCountFilters) {
    const auto status = parse_proc_status(without_line(kText, "Seccomp_filters"));
    ASSERT_TRUE(status);
    EXPECT_FALSE(status->seccomp_filters);
}

TEST(ProcStatusTest, ANumberThatIsNoneIsAnErrorWithItsLine) {
    std::string text = kText;
    text.replace(text.find("NoNewPrivs:\t1"), 13, "NoNewPrivs:\tx");
    const auto status = parse_proc_status(text);
    ASSERT_FALSE(status);
    EXPECT_NE(describe(status.error()).find("NoNewPrivs:\tx"), std::string::npos);
}

TEST(ProcStatusTest, AnEmptyTextIsAnError) { EXPECT_FALSE(parse_proc_status("")); }

}  // namespace
}  // namespace guard
