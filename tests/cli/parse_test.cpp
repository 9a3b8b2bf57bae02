#include "cli/parse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/commands.h"

namespace guard::cli {
namespace {

using ::testing::ElementsAre;

Result<Invocation> parsed(std::string_view command, std::vector<std::string> words) {
    return parse(*find_command(command), std::move(words));
}

TEST(ParseTest, EverythingBehindTwoDashesIsTheCommandOfLaunch) {
    const auto launch = parsed("launch", {"--profile", "base", "--", "ls", "--profile", "--", "-l"});
    ASSERT_TRUE(launch) << describe(launch.error());
    EXPECT_EQ(launch->value("profile"), "base");
    EXPECT_THAT(launch->command_line, ElementsAre("ls", "--profile", "--", "-l"));
}

TEST(ParseTest, SetMayBeGivenOftenAndKeepsItsBrackets) {
    const auto launch =
        parsed("launch", {"--set", "limits.memory=4GiB", "--set=network.publish=[\"lan:1:2/tcp\"]"});
    ASSERT_TRUE(launch);
    EXPECT_THAT(launch->values("set"),
                ElementsAre("limits.memory=4GiB", "network.publish=[\"lan:1:2/tcp\"]"));
}

TEST(ParseTest, ASwitchIsThereOrNot) {
    const auto launch = parsed("launch", {"--detach"});
    ASSERT_TRUE(launch);
    EXPECT_TRUE(launch->has("detach"));
    EXPECT_FALSE(launch->has("dry-run"));
}

TEST(ParseTest, OperandsAndOptionsMixInAnyOrder) {
    const auto explain = parsed("explain", {"minecraft", "--format", "json", "network"});
    ASSERT_TRUE(explain);
    EXPECT_THAT(explain->operands, ElementsAre("minecraft", "network"));
    EXPECT_EQ(explain->value("format"), "json");
}

TEST(ParseTest, AnAbbreviatedOptionIsUnknownSoThatNewOnesBreakNoScript) {
    const auto launch = parsed("launch", {"--prof", "x"});
    ASSERT_FALSE(launch);
    EXPECT_EQ(launch.error().reason, "unknown option --prof");
}

TEST(ParseTest, AnOptionGivenTwiceIsAnError) {
    EXPECT_FALSE(parsed("launch", {"--name", "a", "--name", "b"}));
}

TEST(ParseTest, AnUnknownOptionNamesTheNearest) {
    const auto launch = parsed("launch", {"--profle", "x"});
    ASSERT_FALSE(launch);
    EXPECT_EQ(launch.error().fix, "did you mean --profile?");
}

TEST(ParseTest, TwoDashesWithoutACommandAreAnError) {
    EXPECT_FALSE(parsed("launch", {"--profile", "x", "--"}));
}

}  // namespace
}  // namespace guard::cli
