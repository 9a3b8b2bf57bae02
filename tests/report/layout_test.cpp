#include "report/layout.h"

#include <gtest/gtest.h>

namespace guard::report {
namespace {

TEST(LayoutTest, WidthCountsCharacters) {
    EXPECT_EQ(width_of("äöü"), 3U);
    EXPECT_EQ(width_of("\xff\xfe"), 2U);
}

TEST(LayoutTest, WhatOnlyLooksLikeUtf8IsShownAsAQuestionMark) {
    EXPECT_EQ(printable("\xED\xA0\x80"), "???");       // a surrogate
    EXPECT_EQ(printable("\xE0\x80\xAF"), "???");       // "/" in three bytes
    EXPECT_EQ(printable("\xF4\x90\x80\x80"), "????");  // above U+10FFFF
    EXPECT_EQ(printable("\xF0\x9F\x99\x82"), "\xF0\x9F\x99\x82");
}

TEST(LayoutTest, ShortenedKeepsWholeLinesAndSaysHowManyItLeftOut) {
    EXPECT_EQ(shortened("one\ntwo\n", 8), "one\ntwo\n");
    EXPECT_EQ(shortened("one\n" + std::string(99, 'x') + "\nthree\n", 30), "one\n\n2 lines left out\n");
    EXPECT_EQ(shortened("one\ntwo\n", 3), "");
}

TEST(LayoutTest, WrapBreaksAtSpacesOnly) {
    EXPECT_EQ(wrap("one two three", 7), (std::vector<std::string>{"one two", "three"}));
    EXPECT_EQ(wrap("unbreakable", 4), (std::vector<std::string>{"unbreakable"}));
    EXPECT_EQ(wrap("", 4), (std::vector<std::string>{""}));
}

TEST(LayoutTest, HangingIndentsEveryLineButTheFirst) {
    EXPECT_EQ(hanging("  do", 6, "one two three", 14), "  do  one two\n      three\n");
}

TEST(LayoutTest, TwoSidedNeedsTwoLinesWhereThereIsNoRoom) {
    EXPECT_EQ(two_sided("left", "right", 12), "left   right\n");
    EXPECT_EQ(two_sided("left", "right", 10), "left\n     right\n");
}

TEST(LayoutTest, ColumnsAreAsWideAsTheirWidestCell) {
    EXPECT_EQ(columns({{"NAME", "STATE"}, {"portfolio", "runs"}}), "NAME       STATE\nportfolio  runs\n");
}

TEST(LayoutTest, PrintableShowsWhatATerminalWouldObey) {
    EXPECT_EQ(printable("a\x1b\n\xc2\x9b\x7f"), "a\\x1b\\x0a\\x9b\\x7f");
    EXPECT_EQ(printable("ä\xff"), "ä?");
}

}  // namespace
}  // namespace guard::report
