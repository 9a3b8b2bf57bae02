#include "report/review_words.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/split.h"
#include "report/layout.h"
#include "report/markdown.h"

namespace guard::report {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Finding finding(const std::string& call, std::vector<std::string> units) {
    auto made = raise("seccomp.access", {}, "refused (EPERM)", "allowed", {"profiles/base.toml", 16, 28});
    made.subjects.clear();
    for (auto& unit : units) made.subjects.push_back({.unit = std::move(unit)});
    made.item = call;
    made.severity = Severity::high;
    made.verdict = Verdict::weaker;
    made.title = "newly allows " + call;
    made.notes.means = "refused (EPERM) -> allowed, with any arguments";
    made.notes.witness = call + "(0, 0)";
    made.notes.added = '"' + call + '"';
    made.notes.origin = "base";
    return made;
}

Findings findings(std::vector<Finding> all, Access access = Access::more) {
    Findings made{.command = "review", .units = "profile"};
    for (const auto* unit : {"base", "mail", "web"}) made.examined.push_back({unit});
    made.findings = std::move(all);
    made.change =
        ChangeVerdict{.base = "main (1234567)", .head = "the work tree", .access = access, .required = true};
    if (access == Access::more)
        made.change->counterexample = "x(0) was refused in the base, runs in the head";
    return made;
}

TEST(ReviewWordsTest, AllWhoInheritAreNamedByWhoHandsItOn) {
    const auto all = findings({finding("io_uring_setup", {"base", "mail", "web"})});
    EXPECT_EQ(who_in_words(all.findings[0], all), "base -> all 2 others");
    EXPECT_EQ(who_in_words(finding("x", {"base", "web"}), all), "base -> web");
    EXPECT_EQ(who_in_words(finding("x", {"base"}), all), "base");
}

TEST(ReviewWordsTest, CallsOfOneLineAreOneEntry) {
    const auto all = findings({finding("io_uring_enter", {"base"}), finding("io_uring_setup", {"base"})});
    const auto text = review_text(all, Colour::off);
    EXPECT_THAT(text, HasSubstr("newly allows io_uring_enter, io_uring_setup"));
    EXPECT_THAT(text, HasSubstr("profiles/base.toml:16:28   + \"io_uring_enter\", \"io_uring_setup\""));
    EXPECT_THAT(text,
                HasSubstr("no-new-access  does not hold: x(0) was refused in the base, runs in the head\n"));
    EXPECT_THAT(text, HasSubstr("1 finding in 1 of 3 profiles: 1 high; nothing was taken away\n"));
}

TEST(ReviewWordsTest, TheCommentSaysFirstWhetherToWorry) {
    auto loud = finding("bpf", {"web"});
    auto quiet = loud;
    quiet.severity = Severity::low;
    auto unknown = loud;
    unknown.verdict = Verdict::unknown;
    EXPECT_THAT(review_markdown(findings({loud})),
                HasSubstr("**Do not merge this unread**: 1 finding at risk high or above."));
    EXPECT_THAT(review_markdown(findings({quiet})), HasSubstr("**Worth a look**: it grants more"));
    EXPECT_THAT(review_markdown(findings({unknown}, Access::unknown)), HasSubstr("**Look closer**"));
    EXPECT_THAT(review_markdown(findings({}, Access::same)), HasSubstr("**No need to worry**"));
}

TEST(ReviewWordsTest, AFindingWhoseTitleDoesNotNameItsItemIsNotSwallowed) {
    std::vector<Finding> all;
    for (const auto* grant : {"write", "suid"}) {
        auto one = finding("", {"base"});
        one.item = std::string("/d ") + grant;
        one.title = std::string("may newly ") + grant + " in /d";
        all.push_back(std::move(one));
    }
    EXPECT_EQ(review_entries(findings(std::move(all))).size(), 2U);
}

TEST(ReviewWordsTest, NoChangeIsSaidAsProved) {
    EXPECT_THAT(review_text(findings({}, Access::same), Colour::off),
                HasSubstr("no-new-access  holds: no change in what is allowed (proved)"));
    EXPECT_THAT(review_markdown(findings({}, Access::same)),
                StartsWith("<!-- guard review -->\n### guard: no new access (proved)"));
}

TEST(ReviewWordsTest, NoLineIsWiderThanThePage) {
    std::vector<Finding> all;
    constexpr int kMany = 20;
    all.reserve(kMany);
    for (int i = 0; i < kMany; ++i)
        all.push_back(finding(fmt::format("a_call_with_quite_a_long_name_{}", i), {"base", "mail", "web"}));
    const auto page = review_text(findings(all), Colour::off);  // the lines look into it
    for (const auto line : split(page, '\n')) EXPECT_LE(width_of(line), kPageWidth) << line;
}

TEST(ReviewWordsTest, WhatAStrangerWroteIsShownInTheCommentAndDoesNothing) {
    auto hostile = finding("x", {"| @everyone <img src=x> [a](http://b) `` # \n\n### ok"});
    hostile.title = "newly sees <script>alert(1)</script> @alice #1 www.example.org";
    hostile.notes.added = "`| <b>\x1b[31m";
    const auto comment = review_markdown(findings({hostile}));
    for (const auto* harmful :
         {"<img", "<script", "@alice", "@everyone", " #1", "[a](http", "\n### ok", "\x1b", "www.e"})
        EXPECT_THAT(comment, Not(HasSubstr(harmful))) << harmful;
    const auto rows = [&comment] {
        std::size_t count = 0;
        for (const auto line : split(comment, '\n')) count += line.starts_with("| ") ? 1 : 0;
        return count;
    }();
    EXPECT_EQ(rows, 2U) << comment;
}

TEST(ReviewWordsTest, CodeCannotBeLeftByWhatStandsInIt) {
    EXPECT_EQ(markdown_code("a`b"), "``a`b``");
    EXPECT_EQ(markdown_code("`"), "`` ` ``");
    EXPECT_EQ(markdown_code("a|b"), "`a\\|b`");
    EXPECT_EQ(markdown_code(""), "");
}

TEST(ReviewWordsTest, ACommentFitsAndCountsWhatWasCut) {
    std::vector<Finding> all;
    for (int i = 0; i < 3000; ++i) {
        all.push_back(finding(fmt::format("call_{}", i), {"base", "mail", "web"}));
        all.back().where.file = fmt::format("profiles/{}.toml", i);
    }
    const auto comment = review_markdown(findings(all));
    EXPECT_LT(comment.size(), kMostComment);
    EXPECT_THAT(comment, HasSubstr("more, of no higher risk, had no room here"));
    EXPECT_THAT(comment, HasSubstr("`guard review` shows them all"));
    EXPECT_THAT(comment, HasSubstr("\n</details>\n"));
}

}  // namespace
}  // namespace guard::report
