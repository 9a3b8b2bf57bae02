#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "base/split.h"

#include "tests/review/moby_like.h"
#include "tests/review/repository.h"
#include "tests/support/run_program.h"

// `guard review` as people and pipelines meet it: a repository with 30 profiles, and what a change to it
// says.
namespace guard {
namespace {

using support::RunResult;
using support::TestRepository;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class ReviewProgramTest : public testing::Test {
protected:
    ReviewProgramTest() {
        base("[\"@base\", \"@file\"]");
        repository.write("profiles/net-server.toml",
                         "guard = 1\nextends = [\"base\"]\n[seccomp]\nallow = "
                         "[\"@net-server\"]\n[network]\nmode = \"bridge\"\n");
        for (int i = 1; i <= 28; ++i)
            repository.write(fmt::format("profiles/service-{:02}.toml", i), service(i));
        repository.write(".guard.toml",
                         "paths = [\"profiles\"]\nfail-on = \"medium\"\nrequire = [\"no-new-access\"]\n");
        repository.commit();
        repository.git({"checkout", "-q", "-b", "change"});
    }
    void base(const std::string& allow) const {
        repository.write("profiles/base.toml",
                         "guard = 1\n[seccomp]\nallow = " + allow +
                             "\n[filesystem.mounts]\n\"/tmp\" = { type = \"tmpfs\", write = true }\n");
    }
    static std::string service(int number, const std::string& more = "") {
        return fmt::format(
            "guard = 1\nextends = [\"net-server\"]\n[network]\npublish = [\"lan:{}\"]\n[limits]\nmemory = "
            "\"256MiB\"\n{}",
            8000 + number, more);
    }
    RunResult guard(std::vector<std::string> words) const {
        words.insert(words.begin(), {GUARD_BINARY_DIR "/cli/guard", "review", "--base", "main"});
        return support::run_program(words, {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}},
                                            .folder = repository.path()});
    }
    void change() const {
        base("[\"@base\", \"@file\", \"@io-uring\"]");
        auto loose = service(7, "[capabilities]\nallow = [\"CAP_NET_ADMIN\"]\n");
        loose.replace(loose.find("lan:"), 4, "any:");
        repository.write("profiles/service-07.toml", loose);
        auto large = service(12);
        large.replace(large.find("256MiB"), 6, "6GiB");
        repository.write("profiles/service-12.toml", large);
    }
    TestRepository repository;
};

TEST_F(ReviewProgramTest, NothingChangedIsStatusZeroAndOneLineOfProof) {
    const auto result = guard({});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, StartsWith("no-new-access  holds: no change in what is allowed (proved)\n"));
    EXPECT_THAT(result.err, IsEmpty());
}

TEST_F(ReviewProgramTest, AChangeIsToldOnceForAllWhoInheritIt) {
    change();
    const auto result = guard({});
    EXPECT_EQ(result.status, 1) << result.err;
    EXPECT_THAT(result.out,
                HasSubstr("base -> all 29 others  newly allows io_uring_enter, io_uring_register"));
    EXPECT_THAT(result.out, HasSubstr("profiles/base.toml:3:28   + \"@io-uring\""));
    EXPECT_THAT(result.out, HasSubstr("newly holds CAP_NET_ADMIN"));
    EXPECT_THAT(result.out, HasSubstr("memory limit 256 MiB -> 6 GiB"));
    EXPECT_THAT(result.out, HasSubstr("is newly reachable: any:8007:8007/tcp"));
    EXPECT_THAT(result.out, HasSubstr("no-new-access  does not hold: "));
}

TEST_F(ReviewProgramTest, TheCommentBeginsWithItsMarkerAndTheVerdict) {
    change();
    const auto result = guard({"--format", "markdown"});
    EXPECT_THAT(result.out, StartsWith("<!-- guard review -->\n### guard: grants new access: "));
    EXPECT_THAT(result.out, AllOf(HasSubstr("`no-new-access` **does not hold**"),
                                  HasSubstr("| base \u2192 all 29 others |"), HasSubstr("<details>"),
                                  HasSubstr("\n</details>\n")));
}

TEST_F(ReviewProgramTest, OutputGoesIntoFilesInOneRun) {
    change();
    const auto json = repository.path() + "/result.json";
    EXPECT_EQ(guard({"--output", "json:" + json, "--output", "markdown:" + repository.path() + "/result.md"})
                  .status,
              1);
    const auto result = nlohmann::json::parse(support::text_of(json));
    EXPECT_EQ(result["guard"], 1);
    EXPECT_EQ(result["change"]["access"], "more");
    EXPECT_EQ(result["examined"].size(), 30U);
    EXPECT_THAT(support::text_of(repository.path() + "/result.md"), StartsWith("<!-- guard review -->"));
}

TEST_F(ReviewProgramTest, TheBarIsTheBasesAndTheCallerCanOnlyRaiseIt) {
    repository.write("profiles/service-01.toml", service(1, "[process]\numask = \"0022\"\n"));
    EXPECT_EQ(guard({}).status, 1) << "another umask is changed access";
    repository.git({"checkout", "-q", "main"});
    repository.write(".guard.toml", "fail-on = \"high\"\n");
    repository.commit();
    repository.write("profiles/service-01.toml", service(1, "pids = 512\n"));
    EXPECT_EQ(guard({}).status, 0);
    EXPECT_EQ(guard({"--fail-on", "low"}).status, 1);
    EXPECT_EQ(guard({"--fail-on", "critical"}).status, 0);
    EXPECT_EQ(guard({"--require", "no-new-access"}).status, 1);
}

TEST_F(ReviewProgramTest, WhatCannotBeReadBeatsWhatWasFound) {
    change();
    repository.write("profiles/service-02.toml", "guard = 1\n[limits]\nmemroy = \"1GiB\"\n");
    const auto result = guard({});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(
        result.err,
        HasSubstr("error: unknown key `memroy` in [limits], in the head\n  profiles/service-02.toml:3:1\n"));
    EXPECT_THAT(result.out, HasSubstr("unknown"));
    EXPECT_THAT(result.out, HasSubstr("do        mend it: guard check shows what is wrong"));
    EXPECT_THAT(result.out, HasSubstr("newly holds CAP_NET_ADMIN"));
}

TEST_F(ReviewProgramTest, WhatNobodyCanCompareIsStatus3) {
    auto head = support::moby_like();
    head["syscalls"].push_back({{"names", {"bpf"}}, {"action", "SCMP_ACT_NOTIFY"}});
    repository.write("a.json", support::moby_like().dump());
    repository.write("b.json", head.dump());
    const auto review = [this](std::vector<std::string> more) {
        more.insert(more.begin(), {std::string(GUARD_BINARY_DIR) + "/cli/guard", "review", "--base",
                                   "./a.json", "--head", "./b.json"});
        return support::run_program(more, {.folder = repository.path()});
    };
    EXPECT_EQ(review({}).status, 3);
    EXPECT_EQ(review({"--allow-unknown"}).status, 0);
    EXPECT_EQ(review({"--allow-unknown", "--require", "no-new-access"}).status, 3) << "a proof is asked for";
}

TEST_F(ReviewProgramTest, AnErrorIsOneSentenceAndWhatToDo) {
    const auto result = guard({"--head", "nosuch"});
    EXPECT_EQ(result.status, 2);
    EXPECT_THAT(
        result.err,
        StartsWith("guard: cannot review nosuch: there is no revision, directory or file of this name"));
    EXPECT_THAT(result.err, HasSubstr("\n  do: "));
    EXPECT_THAT(result.out, IsEmpty());
}

// The commit's id is another one each time.
std::string without_ids(const std::string& text) {
    return std::regex_replace(text, std::regex("\\([0-9a-f]{7,12}\\)"), "(ID)");
}

// What a page shows below "    $ `command`", without the indentation.
std::string transcript(const std::string& page, const std::string& command) {
    const auto text = support::text_of(GUARD_SOURCE_DIR "/docs/" + page);
    std::string shown;
    bool inside = false;
    for (const auto line : split(text, '\n')) {
        if (inside && !line.starts_with("    ")) break;
        if (inside) shown += std::string(line.substr(4)) + "\n";
        inside = inside || line == "    $ " + command;
    }
    return shown;
}

TEST(ReviewPageTest, ShowsWhatARealRepositorySays) {
    const TestRepository repository;
    const auto base = [](const std::string& more) {
        return "guard = 1\n\n[seccomp]\nallow = [\"@base\", \"@file\", \"@net-server\"" + more + "]\n";
    };
    const auto server = [](const std::string& name, const std::string& memory) {
        return "guard   = 1\nextends = [\"base\"]\n\n[process]\ncommand = [\"/usr/bin/" + name +
               "\"]\n\n[limits]\nmemory = \"" + memory + "\"\n";
    };
    repository.write("profiles/base.toml", base(""));
    for (const auto* name : {"mail", "minecraft", "portfolio"})
        repository.write(fmt::format("profiles/{}.toml", name), server(name, "1GiB"));
    repository.write(".guard.toml",
                     "paths   = [\"profiles\"]\nfail-on = \"medium\"\nrequire = [\"no-new-access\"]\n");
    repository.commit();
    repository.git({"checkout", "-q", "-b", "change"});
    repository.write("profiles/base.toml", base(", \"io_uring_setup\", \"io_uring_enter\""));
    repository.write("profiles/minecraft.toml", server("minecraft", "6GiB"));
    repository.write(".guard.toml", "paths   = [\"profiles\"]\nfail-on = \"medium\"\n");
    const auto result = support::run_program(
        {GUARD_BINARY_DIR "/cli/guard", "review", "--base", "main"},
        {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}, .folder = repository.path()});
    EXPECT_EQ(result.status, 1);
    EXPECT_EQ(without_ids(transcript("review.md", "guard review --base main")), without_ids(result.out));
    const auto first = transcript("../README.md", "guard review --base main");
    EXPECT_THAT(first, HasSubstr("io_uring_enter"));
    EXPECT_THAT(result.out, StartsWith(first));
}

}  // namespace
}  // namespace guard
