#include "review/review.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>

#include "tests/review/repository.h"

namespace guard::review {
namespace {

using namespace std::chrono;
using support::TempDir;
using support::TestRepository;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

constexpr auto kToday = 2026y / November / 24;
const std::string kShipped = GUARD_SOURCE_DIR "/profiles";
const std::string kHead = "guard = 1\n";

std::string profile(const std::string& text, const std::string& extends = "base") {
    return kHead + "extends = [\"" + extends + "\"]\n" + text;
}

class ReviewTest : public testing::Test {
protected:
    ReviewTest() {
        repository.write("profiles/base.toml",
                         kHead + "[limits]\nmemory = \"256MiB\"\n[seccomp]\nallow = [\"@file\"]\n");
        repository.write("profiles/web.toml", profile("[process]\ncommand = [\"/bin/web\"]\n"));
        repository.write("profiles/mail.toml", profile("[process]\ncommand = [\"/bin/mail\"]\n"));
        repository.commit();
        repository.git({"checkout", "-q", "-b", "change"});
    }
    [[nodiscard]] Request request(const std::string& head = "") const {
        return {.folder = repository.path(),
                .base = "main",
                .head = head,
                .shipped = {kShipped},
                .today = kToday};
    }
    [[nodiscard]] Review reviewed(const std::string& head = "") const { return reviewed(request(head)); }
    static Review reviewed(const Request& request) {
        auto made = review(request);
        EXPECT_TRUE(made.has_value()) << describe(made.error());
        return made.value_or(Review{});
    }
    static std::string told(const Review& review) {
        std::string text;
        for (const auto& finding : review.findings) {
            text += std::string(severity_name(finding.severity)) + " " + finding.title + finding.reason +
                    " at " + format_where(finding.where) + (finding.notes.in_base ? " in the base" : "") +
                    " for";
            for (const auto& subject : finding.subjects) text += " " + subject.unit;
            text += "\n";
        }
        return text;
    }
    TestRepository repository;
};

TEST_F(ReviewTest, AnotherOrderCommentsAndSpacesAreNoChangeInWhatIsAllowed) {
    repository.write("profiles/base.toml",
                     "# A comment\r\n" + kHead +
                         "[seccomp]\r\nallow = [\"read\", \"@file\"]\n[limits]\nmemory = \"256MiB\"\n");
    const auto review = reviewed();
    EXPECT_THAT(review.findings, IsEmpty()) << told(review);
    EXPECT_EQ(review.verdict.access, Access::same);
    EXPECT_THAT(review.units, SizeIs(3));
}

TEST_F(ReviewTest, AGroupWithAnotherNameIsNoChange) {
    const auto group = kHead + "description = \"d\"\n[syscalls]\nsethostname = \"w\"\n";
    repository.write("profiles/groups/mine.toml", group);
    repository.write("profiles/web.toml", profile("[seccomp]\nallow = [\"@mine\"]\n"));
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.git({"mv", "profiles/groups/mine.toml", "profiles/groups/ours.toml"});
    repository.write("profiles/web.toml", profile("[seccomp]\nallow = [\"@ours\"]\n"));
    const auto review = reviewed();
    EXPECT_THAT(review.findings, IsEmpty()) << told(review);
}

TEST_F(ReviewTest, AChangeThatManyInheritIsOneFindingWithAllOfThemAndItsLine) {
    repository.write(
        "profiles/base.toml",
        kHead + "[limits]\nmemory = \"256MiB\"\n[seccomp]\nallow = [\"@file\", \"io_uring_setup\"]\n");
    const auto review = reviewed();
    ASSERT_THAT(review.findings, SizeIs(1)) << told(review);
    const auto& finding = review.findings.front();
    EXPECT_EQ(finding.item, "io_uring_setup");
    EXPECT_EQ(finding.title, "newly allows io_uring_setup");
    EXPECT_EQ(finding.verdict, Verdict::weaker);
    EXPECT_THAT(finding.subjects, SizeIs(3));
    EXPECT_EQ(format_where(finding.where), "profiles/base.toml:5:19");
    EXPECT_EQ(finding.notes.added, "\"io_uring_setup\"");
    EXPECT_EQ(finding.notes.origin, "base");
    EXPECT_THAT(finding.notes.witness, StartsWith("io_uring_setup("));
    EXPECT_EQ(review.verdict.access, Access::more);
    EXPECT_THAT(review.verdict.counterexample, HasSubstr("was refused in the base, runs in the head"));
}

TEST_F(ReviewTest, WhatWasTakenAwayIsToldAtItsLineInTheBase) {
    repository.write("profiles/base.toml",
                     kHead + "[seccomp]\nallow = [\"@file\"]\n[limits]\nmemory = \"128MiB\"\n");
    repository.write("profiles/web.toml", profile("[capabilities]\nallow = [\"CAP_KILL\"]\n"));
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml", profile(""));
    const auto review = reviewed();
    ASSERT_THAT(review.findings, SizeIs(1)) << told(review);
    EXPECT_EQ(review.findings[0].title, "no longer holds CAP_KILL");
    EXPECT_TRUE(review.findings[0].notes.in_base);
    EXPECT_EQ(format_where(review.findings[0].where), "profiles/web.toml:4:10");
    EXPECT_EQ(review.findings[0].notes.taken, "\"CAP_KILL\"");
    EXPECT_EQ(review.verdict.access, Access::no_more);
}

TEST_F(ReviewTest, ALimitIsShownBeforeAndAfter) {
    repository.write("profiles/web.toml",
                     profile("[limits]\nmemory = \"6GiB\"\n[process]\ncommand = [\"/bin/web\"]\n"));
    const auto review = reviewed();
    ASSERT_THAT(review.findings, SizeIs(1)) << told(review);
    EXPECT_EQ(review.findings[0].title, "memory limit 256 MiB -> 6 GiB");
    EXPECT_EQ(review.findings[0].notes.added, "memory = \"6GiB\"");
    EXPECT_EQ(format_where(review.findings[0].where), "profiles/web.toml:4:10");
    EXPECT_THAT(
        review.verdict.notes,
        testing::Contains(HasSubstr("add up to 6.2 GiB, from 512 MiB: see that the machine has more")));
}

TEST_F(ReviewTest, WhatRunsWithTheSameRightsIsToldAndIsNoAccess) {
    repository.write("profiles/web.toml", profile("[process]\ncommand = [\"/bin/other\"]\nenv = { LD_PRELOAD "
                                                  "= \"/srv/x.so\" }\n"));
    const auto review = reviewed();
    EXPECT_EQ(told(review),
              "medium process.env.LD_PRELOAD is newly set at profiles/web.toml:5:22 for web\n"
              "info process.command is set otherwise at profiles/web.toml:4:11 for web\n");
    EXPECT_EQ(review.verdict.access, Access::no_more);
}

TEST_F(ReviewTest, ANetworkThatIsJoinedIsOneFinding) {
    const std::string command = "[process]\ncommand = [\"/bin/web\"]\n";
    repository.write("profiles/web.toml", profile(command + "[network]\nmode = \"bridge\"\n"));
    EXPECT_EQ(told(reviewed()),
              "medium is newly joined to a network: the bridge guard0 at profiles/web.toml:6:8 for web\n");
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml",
                     profile(command + "[network]\nmode = \"bridge\"\nipv6 = false\nbridge = \"br1\"\n"));
    EXPECT_EQ(told(reviewed()),
              "medium is joined to the bridge br1 instead of the bridge guard0 at profiles/web.toml:8:10 for "
              "web\nlow no longer has IPv6 at profiles/web.toml:7:8 for web\n");
}

TEST_F(ReviewTest, EveryGrantOfAMountIsToldWithItsOwnReason) {
    const std::string mounts = "[process]\ncommand = [\"/bin/web\"]\n[filesystem.mounts]\n";
    repository.write("profiles/web.toml",
                     profile(mounts + "\"/d\" = { type = \"bind\", source = \"/srv/d\" }\n"));
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml",
                     profile(mounts + "\"/d\" = { type = \"bind\", source = \"/srv/d\", write = true, exec = "
                                      "true, suid = true, dev = true, recursive = true }\n"));
    const auto review = reviewed();
    std::map<std::string, std::string> risks;
    for (const auto& finding : review.findings)
        risks[finding.title] = finding.risk == nullptr ? "" : std::string(finding.risk->id);
    EXPECT_THAT(risks, testing::UnorderedElementsAre(
                           testing::Pair("may newly write to /d", "mounts.write-exec"),
                           testing::Pair("may newly run programs from /d", "mounts.write-exec"),
                           testing::Pair("set-user-id programs newly work in /d", "mounts.suid"),
                           testing::Pair("device files newly work in /d", "mounts.dev"),
                           testing::Pair("newly sees what is mounted below /srv/d, at /d", testing::_)));
}

TEST_F(ReviewTest, OptionsThatNoProcessShowsAreComparedToo) {
    const std::string mounts = "[process]\ncommand = [\"/bin/web\"]\n[filesystem.mounts]\n";
    const auto write = [&](const std::string& lower, const std::string& mode) {
        repository.write("profiles/web.toml",
                         profile(mounts + "\"/o\" = { type = \"overlay\", lower = [\"" + lower +
                                 "\"] }\n\"/t\" = { type = \"tmpfs\", mode = \"" + mode + "\" }\n"));
    };
    write("/srv/a", "0700");
    repository.commit();
    repository.git({"branch", "-f", "main"});
    write("/etc", "0755");
    EXPECT_EQ(
        told(reviewed()),
        "medium /o is mounted with lowerdir=/etc instead of lowerdir=/srv/a at profiles/web.toml:6:1 for "
        "web\nlow who inside may use /t: mode 0700 -> 0755 at profiles/web.toml:7:1 for web\n");
}

TEST_F(ReviewTest, AMountThatIsTakenAwayIsShownWhereThatIsSaid) {
    repository.write(
        "profiles/base.toml",
        kHead +
            "[limits]\nmemory = \"256MiB\"\n[seccomp]\nallow = [\"@file\"]\n[filesystem.mounts]\n"
            "\"/tmp\" = { type = \"tmpfs\", size = \"1MiB\", write = true }\n");
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml",
                     profile("[process]\ncommand = [\"/bin/web\"]\n[filesystem.mounts]\n\"/tmp"
                             "\" = { type = \"none\" }\n"));
    EXPECT_EQ(told(reviewed()), "info no longer sees /tmp at profiles/web.toml:6:1 for web\n");
}

TEST_F(ReviewTest, AStricterUmaskIsNoNewAccess) {
    const std::string command = "[process]\ncommand = [\"/bin/web\"]\n";
    repository.write("profiles/web.toml", profile(command + "umask = \"0077\"\n"));
    EXPECT_EQ(reviewed().verdict.access, Access::no_more);
    repository.write("profiles/web.toml", profile(command + "umask = \"0022\"\n"));
    EXPECT_EQ(reviewed().verdict.access, Access::more);
}

TEST_F(ReviewTest, AListThatAllowsWhatItDoesNotNameIsOneHighFindingAtItsLine) {
    repository.write("profiles/web.toml",
                     profile("[process]\ncommand = [\"/bin/web\"]\n[seccomp]\non-denied = "
                             "\"allow-and-log\"\n"));
    EXPECT_EQ(told(reviewed()),
              "high newly allows every call that it does not name at profiles/web.toml:6:13 for web\n");
}

TEST_F(ReviewTest, ARuleIsShownByTheLineOfItsCondition) {
    const auto rule = [](const std::string& when) {
        return profile(
            "[process]\ncommand = [\"/bin/web\"]\n[[seccomp.rule]]\neffect = \"allow\"\nsyscalls = "
            "[\"ioctl\"]\nwhen = [" +
            when + "]\nwhy = \"x\"\n");
    };
    repository.write("profiles/web.toml", rule("{ arg = \"request\", in = [\"TCGETS\"] }"));
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml", rule("{ arg = \"request\", in = [\"TIOCSTI\"] }"));
    EXPECT_THAT(told(reviewed()), HasSubstr("newly allows ioctl at profiles/web.toml:8:1 for web"));
}

TEST_F(ReviewTest, AWaiverThatAParentHadAlreadyIsNotSelfGranted) {
    const std::string waived =
        "[capabilities]\nallow = [\"CAP_KILL\"]\n[[waiver]]\nfinding = \"caps.effective\"\nwhat = "
        "\"CAP_KILL\""
        "\nreason = \"r\"\nowner = \"alice\"\nexpires = 2027-06-30\n";
    repository.write("profiles/killer.toml", profile(waived));
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/new.toml", profile("[process]\ncommand = [\"/bin/new\"]\n", "killer"));
    const auto review = reviewed();
    EXPECT_THAT(told(review), testing::Not(HasSubstr("was added together")));
    EXPECT_THAT(told(review), HasSubstr("is new, and compared with one that grants nothing"));
}

TEST_F(ReviewTest, ADenialThatIsDroppedIsNewAccessAtTheLineThatDropsIt) {
    repository.write("profiles/web.toml", profile("[seccomp]\ndeny = [\"mknod\"]\nallow = [\"mknod\"]\n"));
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml", profile("[seccomp]\nallow = [\"mknod\"]\n"));
    const auto review = reviewed();
    ASSERT_THAT(review.findings, SizeIs(1)) << told(review);
    EXPECT_EQ(review.findings[0].title, "newly allows mknod");
    EXPECT_TRUE(review.findings[0].notes.in_base);
    EXPECT_EQ(format_where(review.findings[0].where), "profiles/web.toml:4:9");
}

TEST_F(ReviewTest, AnotherParentIsToldAtTheLineThatNamesIt) {
    repository.write("profiles/extra.toml", kHead + "[capabilities]\nallow = [\"CAP_KILL\"]\n");
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml",
                     kHead + "extends = [\"base\", \"extra\"]\n[process]\ncommand = [\"/bin/web\"]\n");
    const auto review = reviewed();
    ASSERT_THAT(review.findings, SizeIs(1)) << told(review);
    EXPECT_EQ(format_where(review.findings[0].where), "profiles/web.toml:2:20");
}

TEST_F(ReviewTest, ARenamedProfileIsTheSameProfile) {
    repository.git({"mv", "profiles/web.toml", "profiles/site.toml"});
    EXPECT_THAT(reviewed().findings, IsEmpty());
    repository.git({"mv", "profiles/mail.toml", "moved.toml"});
    repository.write("profiles/home/mail.toml",
                     profile("[process]\ncommand = [\"/bin/mail\"]\numask = \"0022\"\n", "../base.toml"));
    const auto review = reviewed();
    ASSERT_THAT(review.findings, SizeIs(1)) << told(review);
    EXPECT_EQ(review.findings[0].check->id, "umask");
    EXPECT_EQ(review.findings[0].subjects[0].unit, "home/mail");
}

TEST_F(ReviewTest, ANewProfileIsJudgedAgainstNothingAndADeletedOneTakesAway) {
    repository.write("profiles/new.toml",
                     profile("[network]\nmode = \"bridge\"\npublish = [\"any:80\"]\n", "web"));
    repository.git({"rm", "-q", "profiles/mail.toml"});
    const auto review = reviewed();
    EXPECT_THAT(told(review), HasSubstr("is newly reachable: any:80:80/tcp"));
    EXPECT_THAT(
        told(review),
        HasSubstr(
            "info is gone, with everything that it granted at profiles/mail.toml in the base for mail"));
    EXPECT_EQ(std::ranges::count_if(review.findings,
                                    [](const Finding& one) { return one.subjects[0].unit == "mail"; }),
              1);
    EXPECT_THAT(told(review), HasSubstr("calls that carry no risk of their own"));
    EXPECT_EQ(review.verdict.access, Access::more);
}

TEST_F(ReviewTest, TwoRevisionsNeedNoWorkTree) {
    repository.write("profiles/web.toml",
                     profile("[limits]\npids = 512\n[process]\ncommand = [\"/bin/web\"]\n"));
    repository.commit();
    repository.git({"checkout", "-q", "main"});
    const auto review = reviewed("change");
    ASSERT_THAT(review.findings, SizeIs(1)) << told(review);
    EXPECT_THAT(review.verdict.head, StartsWith("change ("));
}

TEST_F(ReviewTest, TheWorkTreeAndTheIndexStayAsTheyAre) {
    repository.write("profiles/web.toml", profile("[limits]\npids = 512\n"));
    const auto index = support::text_of(repository.path() + "/.git/index");
    const auto status = repository.git({"status", "--porcelain"});
    EXPECT_THAT(reviewed("change").findings, IsEmpty());
    EXPECT_EQ(support::text_of(repository.path() + "/.git/index"), index);
    EXPECT_EQ(repository.git({"status", "--porcelain"}), status);
}

TEST_F(ReviewTest, TheDefaultBaseIsWhereTheHeadLeftOrigin) {
    const TempDir folder;
    repository.git({"checkout", "-q", "main"});
    repository.git({"clone", "-q", repository.path(), folder.path() + "/clone"});
    repository.write("profiles/mail.toml", profile("[limits]\npids = 512\n"));
    repository.commit();
    const auto clone = folder.path() + "/clone";
    ASSERT_EQ(support::run_program({"git", "-C", clone, "pull", "-q"}).status, 0);
    ASSERT_EQ(support::run_program({"git", "-C", clone, "checkout", "-q", "HEAD~1"}).status, 0);
    Request request{.folder = clone, .shipped = {kShipped}, .today = kToday};
    EXPECT_THAT(reviewed(request).findings, IsEmpty()) << "what origin/main has since is not this change's";
}

// Each ends in one sentence that says what is wrong, and what to do.
TEST_F(ReviewTest, WhatCanNotBeFoundIsSaidInOneSentence) {
    auto asked = request();
    asked.base = "nosuch";
    EXPECT_THAT(describe(review(asked).error()), HasSubstr("no revision, directory or file of this name"));
    asked.base = "";
    EXPECT_THAT(describe(review(asked).error()), HasSubstr("no origin/HEAD"));
    EXPECT_THAT(review(asked).error().fix, HasSubstr("--base"));
    const TempDir folder;
    asked = request();
    asked.folder = folder.path();
    EXPECT_THAT(describe(review(asked).error()), HasSubstr("read the git repository"));
    asked = request();
    asked.paths = {"/etc"};
    EXPECT_THAT(describe(review(asked).error()), HasSubstr("not in the repository"));
    asked.paths = {"nothing-here"};
    EXPECT_THAT(describe(review(asked).error()), HasSubstr("no profile below nothing-here on either side"));
    repository.write("main", "");
    EXPECT_THAT(describe(review(request()).error()), HasSubstr("a revision and a file or directory"));
}

TEST_F(ReviewTest, AShallowCloneWithoutTheAncestorSaysHowToGetIt) {
    repository.write("profiles/web.toml", profile("[limits]\npids = 512\n"));
    repository.commit();
    const TempDir folder;
    const auto clone = folder.path() + "/clone";
    repository.git({"checkout", "-q", "main"});
    repository.write("other", "x");
    repository.commit();
    ASSERT_EQ(support::run_program({"git", "clone", "-q", "--no-single-branch", "--depth", "1",
                                    "file://" + repository.path(), clone})
                  .status,
              0);
    ASSERT_EQ(support::run_program({"git", "-C", clone, "checkout", "-q", "origin/change"}).status, 0);
    const auto made = review({.folder = clone, .shipped = {kShipped}, .today = kToday});
    ASSERT_FALSE(made.has_value());
    EXPECT_THAT(describe(made.error()), HasSubstr("only a part of the history"));
    EXPECT_THAT(made.error().fix, HasSubstr("--unshallow"));
}

TEST_F(ReviewTest, ABrokenProfileOnEitherSideIsUnknownAndNamesTheSide) {
    repository.write("profiles/web.toml", profile("[limits]\nmemroy = \"1GiB\"\n"));
    repository.write("profiles/mail.toml", profile("[limits]\npids = 512\n"));
    auto review = reviewed();
    EXPECT_THAT(told(review), HasSubstr("it can't be read in the head: unknown key `memroy` in [limits] at "
                                        "profiles/web.toml:4:1 for web"));
    EXPECT_THAT(told(review), HasSubstr("limit of processes and threads 128 -> 512"))
        << "the others are still compared";
    ASSERT_THAT(review.diagnostics, SizeIs(1));
    EXPECT_EQ(format_where(review.diagnostics[0].marks[0].where), "profiles/web.toml:4:1");
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml", profile(""));
    review = reviewed();
    EXPECT_THAT(told(review), HasSubstr("it can't be read in the base"));
    EXPECT_EQ(review.verdict.access, Access::unknown);
}

TEST_F(ReviewTest, WhatIsWrongWithAFileThatManyExtendIsToldOnce) {
    repository.write("profiles/base.toml", kHead + "[limits]\nmemroy = \"256MiB\"\n");
    const auto review = reviewed();
    EXPECT_THAT(review.diagnostics, SizeIs(1));
    ASSERT_THAT(review.findings, SizeIs(1)) << told(review);
    EXPECT_THAT(review.findings[0].subjects, SizeIs(3));
}

TEST_F(ReviewTest, ALinkOutOfTheTreeIsNotFollowed) {
    const TempDir outside;
    outside.write("secret.toml", profile("", "base"));
    ASSERT_EQ(
        ::symlink((outside / "secret.toml").c_str(), (repository.path() + "/profiles/out.toml").c_str()), 0);
    ASSERT_EQ(::symlink(outside.path().c_str(), (repository.path() + "/profiles/folder").c_str()), 0);
    repository.write("profiles/up.toml", kHead + "extends = [\"../../../../../../etc/x.toml\", \"" +
                                             (outside / "secret.toml") + "\"]\n");
    const auto review = reviewed();
    EXPECT_THAT(told(review), HasSubstr("it can't be read in the head: cannot read profiles/out.toml"));
    EXPECT_THAT(told(review), HasSubstr("there is no file `../../../../../../etc/x.toml`"));
    std::string errors;
    for (const auto& diagnostic : review.diagnostics) errors += diagnostic.message + "\n";
    EXPECT_THAT(errors, HasSubstr("there is no file `" + (outside / "secret.toml")));
}

TEST_F(ReviewTest, ASubmoduleAmongTheProfilesIsSaidAndNotSkipped) {
    const TestRepository other;
    other.write("p.toml", kHead);
    other.commit();
    repository.git({"submodule", "--quiet", "add", other.path(), "profiles/theirs"});
    repository.commit();
    EXPECT_THAT(told(reviewed("change")), HasSubstr("profiles/theirs is a submodule"));
}

TEST_F(ReviewTest, NamesWithSpacesAndNewlinesAreProfilesToo) {
    repository.write("profiles/my server\n2.toml", profile("[limits]\npids = 512\n"));
    repository.commit();
    EXPECT_THAT(reviewed("change").units, Contains(testing::Field(&Unit::name, "my server\n2")));
}

TEST_F(ReviewTest, TheBarIsTheBasesAndLoweringItIsAFinding) {
    repository.write(".guard.toml",
                     "paths = [\"profiles\"]\nfail-on = \"low\"\nrequire = [\"no-new-access\"]\n");
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write(".guard.toml", "paths = [\"elsewhere\"]\nfail-on = \"high\"\n");
    const auto review = reviewed();
    EXPECT_EQ(review.fail_on, Severity::low);
    EXPECT_TRUE(review.verdict.required);
    EXPECT_THAT(told(review),
                HasSubstr("high this change stops requiring no-new-access at .guard.toml:3:12 in the base"));
    EXPECT_THAT(told(review), HasSubstr("lets findings up to medium pass, not just those below low"));
    EXPECT_THAT(told(review), HasSubstr("takes the profiles below profiles out of reviews"));
    EXPECT_EQ(review.verdict.access, Access::same) << "a bar is no access";
}

TEST_F(ReviewTest, ABrokenRequirementsFileIsAnErrorWithItsPlace) {
    repository.write(".guard.toml", "fail_on = \"low\"\n");
    const auto review = reviewed();
    ASSERT_THAT(review.diagnostics, SizeIs(1));
    EXPECT_THAT(review.diagnostics[0].message, HasSubstr("unknown key `fail_on`"));
    EXPECT_EQ(format_where(review.diagnostics[0].marks[0].where), ".guard.toml:1:1");
}

TEST_F(ReviewTest, AWaiverOfTheBaseExcusesAndOneOfTheHeadDoesNot) {
    const std::string waiver =
        "[[waiver]]\nfinding = \"caps.effective\"\nwhat = \"CAP_KILL\"\nreason = \"r\"\nowner = "
        "\"alice\"\nexpires = 2027-06-30\n";
    repository.write("profiles/web.toml", profile(waiver));
    repository.commit();
    repository.git({"branch", "-f", "main"});
    repository.write("profiles/web.toml", profile("[capabilities]\nallow = [\"CAP_KILL\"]\n" + waiver));
    repository.write("profiles/mail.toml", profile("[capabilities]\nallow = [\"CAP_KILL\"]\n" + waiver));
    const auto review = reviewed();
    for (const auto& finding : review.findings)
        if (finding.check->id == "caps.effective")
            EXPECT_EQ(finding.waiver.has_value(), finding.subjects[0].unit == "web");
    EXPECT_THAT(told(review),
                HasSubstr("a waiver for caps.effective CAP_KILL was added together with what it excuses"));
    EXPECT_THAT(review.verdict.counterexample, HasSubstr("mail: newly holds CAP_KILL"));
}

TEST_F(ReviewTest, WaiversThatEndAreToldInTime) {
    const auto waiver = [](const std::string& day) {
        return "[[waiver]]\nfinding = \"caps.effective\"\nwhat = \"CAP_KILL\"\nreason = \"r\"\nowner = "
               "\"alice\"\nexpires = " +
               day + "\n";
    };
    repository.write("profiles/web.toml",
                     profile("[capabilities]\nallow = [\"CAP_KILL\"]\n" + waiver("2026-12-03")));
    repository.write("profiles/mail.toml", profile(waiver("2026-11-20")));
    repository.commit();
    repository.git({"branch", "-f", "main"});
    const auto review = reviewed();
    EXPECT_THAT(told(review), HasSubstr("low a waiver ends in 9 days, on 2026-12-03"));
    EXPECT_THAT(told(review), HasSubstr("medium a waiver has ended on 2026-11-20"));
    EXPECT_EQ(review.verdict.access, Access::same);
}

TEST_F(ReviewTest, SecretsAndWhatMayBeMissingAreToldToo) {
    repository.write(
        "profiles/web.toml",
        kHead +
            "extends = [\"base\"]\noptional = [\"landlock\"]\n[secrets]\nkey = { file = \"/etc/shadow\" }\n");
    const auto review = reviewed();
    EXPECT_THAT(told(review), HasSubstr("is given the secret key: the file /etc/shadow"));
    EXPECT_THAT(told(review), HasSubstr("may newly run without the protection landlock"));
}

TEST_F(ReviewTest, TwoDirectoriesAndTwoFilesNeedNoRepository) {
    const TempDir folder;
    folder.write("old/a.toml", kHead);
    folder.write("new/a.toml", kHead + "[limits]\npids = 512\n");
    Request asked{
        .folder = folder.path(), .base = "./old", .head = "./new", .shipped = {kShipped}, .today = kToday};
    EXPECT_THAT(reviewed(asked).findings, SizeIs(1));
    folder.write("new/b.toml", kHead + "[limits]\npids = 512\n");
    asked.base = "old/a.toml";
    asked.head = "new/b.toml";
    EXPECT_THAT(reviewed(asked).findings, SizeIs(1)) << "one file each is a pair, whatever their names";
}

}  // namespace
}  // namespace guard::review
