#include "audit/watch_told.h"

#include <gtest/gtest.h>

namespace guard::audit {
namespace {

Finding finding_of(const std::string& unit, const std::string& observed, pid_t pid = 7,
                   std::uint64_t start = 100) {
    return raise("process.foreign", Subject{unit, pid, pid, start, "sleep", "/bin/sleep"}, "none", observed);
}

TEST(ToldFindingsTest, WhatIsThereTwiceBeginsOnce) {
    ToldFindings told;
    const std::vector now{finding_of("one", "user 0")};
    EXPECT_TRUE(told.differ(now));
    EXPECT_EQ(told.settle(now, now, 1000).begun.size(), 1U);
    EXPECT_FALSE(told.differ(now));
    EXPECT_TRUE(told.settle(now, now, 1001).begun.empty());
}

TEST(ToldFindingsTest, WhatIsThereOnlyOnceIsNotTold) {
    ToldFindings told;
    const std::vector now{finding_of("one", "user 0")};
    EXPECT_TRUE(told.settle(now, {}, 1000).begun.empty());
    EXPECT_TRUE(told.settle({}, now, 1000).begun.empty());
}

TEST(ToldFindingsTest, WhatIsGoneTwiceEndsWithTheTimeItBegan) {
    ToldFindings told;
    const std::vector now{finding_of("one", "user 0")};
    static_cast<void>(told.settle(now, now, 1000));
    EXPECT_TRUE(told.settle({}, now, 1010).ended.empty());
    const auto turns = told.settle({}, {}, 1020);
    ASSERT_EQ(turns.ended.size(), 1U);
    EXPECT_EQ(turns.ended[0].since, 1000);
    EXPECT_EQ(turns.ended[0].finding.check->id, "process.foreign");
}

TEST(ToldFindingsTest, EqualNamesOfOtherProcessesAreOtherFindings) {
    ToldFindings told;
    const std::vector first{finding_of("one", "user 0", 7, 100)}, reused{finding_of("one", "user 0", 7, 200)};
    static_cast<void>(told.settle(first, first, 1000));
    const auto turns = told.settle(reused, reused, 1001);
    EXPECT_EQ(turns.begun.size(), 1U);
    EXPECT_EQ(turns.ended.size(), 1U);
}

TEST(ToldFindingsTest, OneMoreTaskIsToldAlone) {
    ToldFindings told;
    const std::vector one{finding_of("one", "user 0", 7)};
    auto both = merged({finding_of("one", "user 0", 7), finding_of("one", "user 0", 8)});
    static_cast<void>(told.settle(one, one, 1000));
    const auto turns = told.settle(both, both, 1001);
    ASSERT_EQ(turns.begun.size(), 1U);
    ASSERT_EQ(turns.begun[0].subjects.size(), 1U);
    EXPECT_EQ(turns.begun[0].subjects[0].pid, 8);
}

TEST(ToldFindingsTest, WhatBeganTogetherEndsTogether) {
    ToldFindings told;
    auto both = merged({finding_of("one", "user 0", 7), finding_of("one", "user 0", 8)});
    static_cast<void>(told.settle(both, both, 1000));
    const auto turns = told.settle({}, {}, 1001);
    ASSERT_EQ(turns.ended.size(), 1U);
    EXPECT_EQ(turns.ended[0].finding.subjects.size(), 2U);
}

TEST(ToldFindingsTest, AWaivedFindingIsNotTold) {
    ToldFindings told;
    auto waived = finding_of("one", "user 0");
    waived.waiver = Waiver{};
    EXPECT_FALSE(told.differ({waived}));
}

TEST(ToldFindingsTest, TheNextWatcherKnowsWhatWasTold) {
    ToldFindings told;
    const std::vector now{finding_of("one", "a \"quoted\"\nname")};
    static_cast<void>(told.settle(now, now, 1000));
    auto again = ToldFindings::from_json(told.to_json());
    ASSERT_TRUE(again) << describe(again.error());
    EXPECT_FALSE(again->differ(now)) << "it would be told again";
    const auto turns = again->settle({}, {}, 1060);
    ASSERT_EQ(turns.ended.size(), 1U);
    EXPECT_EQ(turns.ended[0].since, 1000);
}

TEST(ToldFindingsTest, ABrokenMemoryIsAnErrorAndAnUnknownCheckIsForgotten) {
    for (const auto* broken :
         {"", "{", "[]", "{\"told\":[{}]}", "{\"told\":[{\"check\":\"process.foreign\"}]}"})
        EXPECT_FALSE(ToldFindings::from_json(broken)) << broken;
    EXPECT_TRUE(ToldFindings::from_json("{\"told\":[{\"check\":\"no.such\"}]}"));
}

}  // namespace
}  // namespace guard::audit
