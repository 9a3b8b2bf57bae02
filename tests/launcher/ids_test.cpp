#include "launcher/ids.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <thread>

#include "tests/support/temp_dir.h"

namespace guard::launcher {
namespace {

using support::TempDir;
using support::text_of;

// A state folder and an /etc of the test's own.
struct IdsTest : testing::Test {
    TempDir folder;
    std::string state = folder / "state", etc = folder.make("etc");
    [[nodiscard]] std::uint32_t base_of(const std::string& name) const {
        const auto range = id_range_in(state, name, etc);
        EXPECT_TRUE(range) << describe(range.error());
        return range.value_or(IdRange{}).base;
    }
};

TEST_F(IdsTest, ARangeStaysTheSame) {
    const auto first = base_of("minecraft");
    EXPECT_NE(base_of("portfolio"), first);
    EXPECT_EQ(base_of("minecraft"), first);
}

TEST_F(IdsTest, RangesAreDisjointAndWhole) {
    std::set<std::uint32_t> bases;
    for (int i = 0; i < 20; ++i) bases.insert(base_of("c" + std::to_string(i)));
    ASSERT_EQ(bases.size(), 20U);
    for (auto base = bases.begin(); std::next(base) != bases.end(); ++base)
        EXPECT_GE(*std::next(base) - *base, kIdsEach);
}

TEST_F(IdsTest, IdsOfOthersAreLeftAlone) {
    folder.write("etc/subuid", "alice:" + std::to_string(kFirstId + 10) + ":65536\n");
    folder.write("etc/group", "staff:x:" + std::to_string(kFirstId + 2 * kIdsEach) + ":\n");
    EXPECT_EQ(base_of("a"), kFirstId + 3 * kIdsEach);
}

TEST_F(IdsTest, AUserOfTheHostIsNeverInARange) {
    folder.write("etc/passwd", "root:x:0:0::/:\nodd:x:" + std::to_string(kFirstId) + ":1::/:\n");
    EXPECT_EQ(base_of("a"), kFirstId + kIdsEach);
}

TEST_F(IdsTest, ACrashInTheMiddleOfWritingLosesNothing) {
    const auto first = base_of("minecraft");
    const auto whole = text_of(state + "/ids");
    // What a crash between write and rename leaves: torn and garbage files beside the table.
    folder.write("state/ids.aB3xYz", whole.substr(0, whole.size() / 2));
    folder.write("state/ids.000000", std::string("\0\xff garbage", 10));
    EXPECT_EQ(base_of("minecraft"), first);
    EXPECT_NE(base_of("new"), first);
    EXPECT_FALSE(std::filesystem::exists(state + "/ids.aB3xYz"));
    EXPECT_FALSE(std::filesystem::exists(state + "/ids.000000"));
}

TEST_F(IdsTest, ABrokenTableIsNotReplaced) {
    static_cast<void>(base_of("minecraft"));
    for (const std::string broken : {"minecraft 12", "minecraft x 65536\n", "a 5 10\na 50 10\n",
                                     "a 5 10\nb 6 10\n", "a 0 10\n", "../x 5 10\n", "a 5 10 7\n"}) {
        folder.write("state/ids", broken);
        EXPECT_FALSE(id_range_in(state, "new", etc)) << broken;
        EXPECT_EQ(text_of(state + "/ids"), broken);
    }
}

TEST_F(IdsTest, TwoAtATimeGetTwoRanges) {
    std::vector<std::uint32_t> bases(8);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < bases.size(); ++i)
        threads.emplace_back([&, i] { bases[i] = id_range_in(state, "c" + std::to_string(i), etc)->base; });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::set(bases.begin(), bases.end()).size(), bases.size());
    EXPECT_EQ(parse_id_table(text_of(state + "/ids"))->size(), bases.size());
}

TEST_F(IdsTest, TheTableIsForItsOwnerOnly) {
    static_cast<void>(base_of("minecraft"));
    EXPECT_EQ(std::filesystem::status(state + "/ids").permissions(), std::filesystem::perms{0600});
    EXPECT_EQ(std::filesystem::status(state).permissions(), std::filesystem::perms{0700});
}

TEST(IdTableTest, ItGoesThereAndBack) {
    const IdTable table{{"a", {kFirstId, kIdsEach}}, {"b-2", {kFirstId + kIdsEach, kIdsEach}}};
    const auto back = parse_id_table(format_id_table(table));
    ASSERT_TRUE(back);
    EXPECT_EQ(format_id_table(*back), format_id_table(table));
}

TEST(IdTableTest, AFullTableSaysSo) {
    IdTable table;
    for (std::uint32_t base = kFirstId; base < kEndOfIds; base += kIdsEach)
        table["c" + std::to_string(base)] = {base, kIdsEach};
    const auto range = next_range(table, {});
    ASSERT_FALSE(range);
    EXPECT_NE(range.error().reason.find("given out"), std::string::npos);
}

}  // namespace
}  // namespace guard::launcher
