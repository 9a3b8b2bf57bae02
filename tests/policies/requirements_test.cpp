#include "policies/requirements.h"

#include <gmock/gmock.h>

namespace guard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(RequirementsTest, AnEmptyFileAsksForWhatNoFileAsksFor) {
    const auto read = read_requirements(".guard.toml", "");
    ASSERT_TRUE(read.requirements.has_value());
    EXPECT_THAT(read.requirements->paths, ElementsAre("profiles"));
    EXPECT_EQ(read.requirements->fail_on, Severity::medium);
    EXPECT_THAT(read.requirements->require, IsEmpty());
}

TEST(RequirementsTest, EveryKeyKeepsItsPlace) {
    const auto read = read_requirements(
        ".guard.toml", "paths = [\"a\", \"b\"]\nfail-on = \"high\"\nrequire = [\"no-new-access\"]\n");
    ASSERT_TRUE(read.requirements.has_value());
    EXPECT_THAT(read.requirements->paths, ElementsAre("a", "b"));
    EXPECT_EQ(read.requirements->fail_on, Severity::high);
    EXPECT_THAT(read.requirements->require, ElementsAre("no-new-access"));
    EXPECT_EQ(format_where(read.requirements->origins.at("require/no-new-access")), ".guard.toml:3:12");
}

TEST(RequirementsTest, AllErrorsComeAtOnceWithTheirPlaces) {
    const auto read = read_requirements(
        ".guard.toml", "path = [\"a\"]\nfail-on = \"hihg\"\nrequire = \"no-new-access\"\nguard = 2\n");
    EXPECT_FALSE(read.requirements.has_value());
    ASSERT_THAT(read.diagnostics, SizeIs(4));
    EXPECT_THAT(read.diagnostics[0].message, HasSubstr("unknown key `path`"));
    EXPECT_THAT(read.diagnostics[0].marks[0].note, HasSubstr("did you mean `paths`?"));
    EXPECT_EQ(format_where(read.diagnostics[1].marks[0].where), ".guard.toml:2:11");
    EXPECT_THAT(read.diagnostics[2].message, HasSubstr("is a list"));
}

}  // namespace
}  // namespace guard
