#include "launcher/end_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/launched.h"

namespace guard::launcher {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::string_view kLog =
    "<6>[ 9.1] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,oom_memcg=/guard/other,"
    "task_memcg=/guard/other,task=node,pid=12,uid=5\n"
    "<3>[ 9.1] Memory cgroup out of memory: Killed process 12 (node) total-vm:9kB, anon-rss:8kB, "
    "file-rss:0kB, "
    "shmem-rss:0kB, UID:5\n"
    "<6>[ 9.2] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,oom_memcg=/guard/hog,"
    "task_memcg=/guard/hog,task=a,pid=7,b,pid=8425,uid=5\n"
    "<3>[ 9.2] Memory cgroup out of memory: Killed process 8425 (a,pid=7,b) total-vm:34792kB, "
    "anon-rss:32384kB, "
    "file-rss:384kB, shmem-rss:0kB, UID:5 pgtables:108kB\n";

LaunchPlan hog() {
    LaunchPlan plan;
    auto& limits = made(plan.expected.limits);
    limits["memory"] = {32ULL << 20U};
    limits["swap"] = {0};
    return plan;
}

TEST(EndWordsTest, TheVictimOfThisCgroupIsFoundWhateverItsCommandIsCalled) {
    const auto victim = victim_in(kLog, "/guard/hog");
    ASSERT_TRUE(victim);
    EXPECT_EQ(victim->command, "a,pid=7,b");
    EXPECT_EQ(victim->pid, 8425);
    EXPECT_EQ(victim->memory, 32ULL << 20U);
}

TEST(EndWordsTest, AnothersVictimIsNotOurs) {
    EXPECT_FALSE(victim_in(kLog, "/guard/hog2"));
    EXPECT_FALSE(victim_in(kLog, "/guard"));
    EXPECT_FALSE(victim_in("", "/guard/hog"));
}

TEST(EndWordsTest, AKillByTheLimitTellsLimitPeakAndBiggest) {
    End end{.status = 137, .up = 100s, .stopping = {}, .usage = {}, .victim = victim_in(kLog, "/guard/hog")};
    end.usage.oom_kills = 1;
    end.usage.memory_peak = 32ULL << 20U;
    const auto lines = memory_lines(hog(), end);
    EXPECT_THAT(lines, Contains("killed by the kernel (OOM): memory limit 32 MiB reached (peak 32 MiB, swap "
                                "none), after 1 min 40 s"));
    EXPECT_THAT(lines, Contains("biggest: a,pid=7,b, process 8425, 32 MiB"));
    EXPECT_THAT(lines, Contains(HasSubstr("no chance to save")));
}

TEST(EndWordsTest, WhereOnlyAPartWasKilledTheRestHadItsChance) {
    End end{.status = 0, .up = 1s, .stopping = {}, .usage = {}, .victim = {}};
    end.usage.oom_kills = 2;
    const auto lines = memory_lines(hog(), end);
    EXPECT_THAT(lines.front(), HasSubstr("the kernel killed a part of it (OOM)"));
    EXPECT_THAT(lines, Contains("neighbours: not touched."));
}

TEST(EndWordsTest, WithoutAKillNothingIsSaidOfMemory) {
    EXPECT_THAT(memory_lines(hog(), {.status = 137, .up = 1s, .stopping = {}, .usage = {}, .victim = {}}),
                IsEmpty());
}

TEST(EndWordsTest, AStopIsToldWithItsTimeItsStatusAndTheData) {
    auto plan = hog();
    plan.data = "/var/lib/guard/minecraft";
    End end{.status = 143, .up = 90s, .stopping = 2100ms, .usage = {}, .victim = {}};
    EXPECT_EQ(end_line(plan, end), "stopped after 3 s as asked (status 143)");
    plan.mounts.push_back({.place = "/srv", .mount = {.type = "bind", .source = plan.data}});
    EXPECT_EQ(end_line(plan, end), "stopped after 3 s as asked (status 143). Data: /var/lib/guard/minecraft");
    end.stopping.reset();
    EXPECT_EQ(end_line(plan, end),
              "ended by itself after 1 min 30 s (status 143). Data: /var/lib/guard/minecraft");
}

}  // namespace
}  // namespace guard::launcher
