#include "base/conversation.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/support/temp_dir.h"

namespace guard {
namespace {

using testing::HasSubstr;

TEST(ConversationTest, AnswersComeLineByLineAndByteByByte) {
    auto cat = Conversation::start({"cat"}, {});
    ASSERT_TRUE(cat.has_value()) << describe(cat.error());
    ASSERT_TRUE(cat->say("one\ntwo three").has_value());
    EXPECT_EQ(cat->line(), "one");
    EXPECT_EQ(cat->bytes(3), "two");
    const auto ended = cat->end();
    ASSERT_TRUE(ended.has_value());
    EXPECT_EQ(ended->out, " three");
    EXPECT_EQ(ended->status, 0);
}

TEST(ConversationTest, OnlyTheEnvironmentGivenIsThere) {
    ::setenv("GUARD_TEST_SECRET", "1", 1);
    auto env = Conversation::start({"env"}, {{"A", "b"}});
    ASSERT_TRUE(env.has_value());
    EXPECT_EQ(env->end()->out, "A=b\n");
    ::unsetenv("GUARD_TEST_SECRET");
}

TEST(ConversationTest, AnEndWithoutAnAnswerIsAnErrorAndNoSignal) {
    auto program = Conversation::start({"sh", "-c", "echo why >&2; exit 3"}, {});
    ASSERT_TRUE(program.has_value());
    EXPECT_THAT(describe(program->line().error()), HasSubstr("it ended without an answer"));
    static_cast<void>(program->say("x"));
    const auto ended = program->end();
    EXPECT_EQ(ended->status, 3);
    EXPECT_EQ(ended->err, "why\n");
}

TEST(ConversationTest, AProgramOfTheWorkingDirectoryIsNeverTaken) {
    const support::TempDir folder;
    folder.write("no-such-program-anywhere", "#!/bin/sh\n", 0755);
    const std::string before = std::getenv("PATH");
    ::setenv("PATH", (".:" + before).c_str(), 1);
    const auto none = Conversation::start({"no-such-program-anywhere"}, {});
    ::setenv("PATH", before.c_str(), 1);
    ASSERT_FALSE(none.has_value());
    EXPECT_THAT(describe(none.error()), HasSubstr("it is not on the PATH"));
}

}  // namespace
}  // namespace guard
