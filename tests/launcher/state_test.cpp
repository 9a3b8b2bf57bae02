#include "launcher/state.h"

#include <gtest/gtest.h>

namespace guard::launcher {
namespace {

TEST(NameTest, NamesAreWhatTheContractSays) {
    for (const auto& name :
         std::vector<std::string>{"a", "0", "minecraft", "a-b", "web-2", std::string(63, 'x')})
        EXPECT_TRUE(check_name(name)) << name;
}

TEST(NameTest, EverythingElseIsRefusedAndShown) {
    for (const auto& name : std::vector<std::string>{"", "-a", "A", "a_b", "a.b", "../x", "a/b", "a b", "a\n",
                                                     "\xc3\xa4", ".state", std::string(64, 'x')}) {
        const auto checked = check_name(name);
        ASSERT_FALSE(checked) << name;
        EXPECT_NE(describe(checked.error()).find("a-z, 0-9"), std::string::npos);
    }
}

TEST(StatePathsTest, AreAbsolute) {
    const auto paths = state_paths();
    for (const auto& path : {paths.run, paths.lib, paths.cache, paths.log}) {
        EXPECT_EQ(path.front(), '/');
        EXPECT_NE(path.find("guard"), std::string::npos);
    }
}

TEST(LifeTest, ARecordOfAnotherBootIsDead) {
    Record record;
    record.bindings.boot_id = "00000000-0000-0000-0000-000000000000";
    record.bindings.supervisor = open_process(::getpid())->id;
    EXPECT_EQ(life_of(record), Life::dead);
    record.bindings.boot_id = boot_id().value();
    EXPECT_EQ(life_of(record), Life::running);
}

TEST(LifeTest, APidThatIsAnothersByNowIsDead) {
    Record record;
    record.bindings.boot_id = boot_id().value();
    record.bindings.supervisor = open_process(::getpid())->id;
    record.bindings.supervisor.start += 1;
    EXPECT_EQ(life_of(record), Life::dead);
    record.bindings.supervisor = {};
    EXPECT_EQ(life_of(record), Life::dead);
}

}  // namespace
}  // namespace guard::launcher
