#include "report/diagnostics.h"

#include <gtest/gtest.h>

#include "report/layout.h"

namespace guard::report {
namespace {

std::string shown(const Diagnostic& diagnostic) { return diagnostics_text({&diagnostic, 1}, Colour::off); }

Mark mark_at(unsigned line, unsigned column, std::string text, unsigned length, std::string note) {
    return {{"minecraft.toml", line, column}, std::move(text), length, std::move(note)};
}

std::size_t longest_line(const std::string& text) {
    std::size_t longest = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const auto end = text.find('\n', begin);
        longest = std::max(longest, width_of(text.substr(begin, end - begin)));
        begin = end + 1;
    }
    return longest;
}

TEST(DiagnosticsTest, AnUnknownKeyIsShownWithItsLineAndTheNearestWord) {
    EXPECT_EQ(shown({Level::error,
                     "unknown key `memroy` in [limits]",
                     {mark_at(4, 1, "memroy = \"4GiB\"", 6, "did you mean `memory`?")}}),
              "error: unknown key `memroy` in [limits]\n"
              "  minecraft.toml:4:1\n"
              "  4 | memroy = \"4GiB\"\n"
              "    | ^^^^^^ did you mean `memory`?\n");
}

TEST(DiagnosticsTest, TwoMarksOnOneLineShareItAndEachKeepsItsNote) {
    const std::string line = "extends = [\"runtime-jvm\", \"runtime-node\"]";
    EXPECT_EQ(
        shown({Level::error,
               "runtime-jvm and runtime-node disagree on limits.pids",
               {mark_at(2, 12, line, 13, "512 at runtime-jvm.toml:18:8; write `pids = 512` under [limits]"),
                mark_at(2, 27, line, 14, "64 at runtime-node.toml:10:8")}}),
        "error: runtime-jvm and runtime-node disagree on limits.pids\n"
        "  minecraft.toml:2:12\n"
        "  2 | extends = [\"runtime-jvm\", \"runtime-node\"]\n"
        "    |            ^^^^^^^^^^^^^  ^^^^^^^^^^^^^^ 64 at runtime-node.toml:10:8\n"
        "    |            512 at runtime-jvm.toml:18:8; write `pids = 512` under [limits]\n");
}

TEST(DiagnosticsTest, MarksInTwoFilesAreTwoPlaces) {
    EXPECT_EQ(
        shown({Level::error,
               "two keys contradict each other",
               {{{"a.toml", 1, 1}, "x = 1", 1, "here"}, {{"b.toml", 12, 3}, "  y = 2", 1, "and here"}}}),
        "error: two keys contradict each other\n"
        "  a.toml:1:1\n"
        "  1 | x = 1\n"
        "    | ^ here\n"
        "  b.toml:12:3\n"
        "  12 |   y = 2\n"
        "     |   ^ and here\n");
}

TEST(DiagnosticsTest, CaretsStandUnderWhatFollowsATab) {
    EXPECT_EQ(shown({Level::error, "bad", {mark_at(3, 2, "\tmemory = 1", 6, "")}}),
              "error: bad\n"
              "  minecraft.toml:3:2\n"
              "  3 |     memory = 1\n"
              "    |     ^^^^^^\n");
}

TEST(DiagnosticsTest, CaretsCountCharactersNotBytes) {
    EXPECT_EQ(shown({Level::error, "bad", {mark_at(3, 6, "\"äöü\"x", 1, "")}}),
              "error: bad\n"
              "  minecraft.toml:3:6\n"
              "  3 | \"äöü\"x\n"
              "    |      ^\n");
}

TEST(DiagnosticsTest, ALongLineIsShortenedAroundItsCaret) {
    const auto text =
        shown({Level::error,
               "bad",
               {mark_at(1, 500, std::string(499, 'a') + "WRONG" + std::string(499, 'b'), 5, "this")}});
    EXPECT_LE(longest_line(text), kPageWidth);
    EXPECT_NE(text.find("...aaa"), std::string::npos);
    EXPECT_NE(text.find("bbb..."), std::string::npos);
    const auto line = text.find("WRONG");
    const auto carets = text.find("^^^^^ this");
    ASSERT_NE(line, std::string::npos);
    ASSERT_NE(carets, std::string::npos);
    EXPECT_EQ(line - text.rfind('\n', line), carets - text.rfind('\n', carets));
}

TEST(DiagnosticsTest, WhatATerminalWouldObeyIsShownInstead) {
    const auto text = shown({Level::error, "bad \x1b[2J", {mark_at(1, 1, "\x1b[31mred", 1, "")}});
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(text.find("\\x1b[31mred"), std::string::npos);
}

TEST(DiagnosticsTest, AMarkPastTheEndOfItsLineStandsBehindIt) {
    EXPECT_EQ(shown({Level::error, "the file ends too early", {mark_at(1, 9, "x =", 1, "")}}),
              "error: the file ends too early\n"
              "  minecraft.toml:1:9\n"
              "  1 | x =\n"
              "    |    ^\n");
}

TEST(DiagnosticsTest, WithoutALineOnlyThePlaceAndTheNoteAreShown) {
    EXPECT_EQ(shown({Level::error, "is not a file", {{{"x.toml", 0, 0}, "", 1, "it is a pipe"}}}),
              "error: is not a file\n  x.toml\n    it is a pipe\n");
}

TEST(DiagnosticsTest, ColourIsOnTheLevelOnly) {
    const Diagnostic bad{Level::error, "bad", {}};
    EXPECT_EQ(diagnostics_text({&bad, 1}, Colour::on), "\x1b[31merror\x1b[0m: bad\n");
}

}  // namespace
}  // namespace guard::report
