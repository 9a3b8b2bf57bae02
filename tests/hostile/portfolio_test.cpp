#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <regex>

#include "tests/support/private_state.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// A web site under the shipped profile `portfolio`, from its files to a visitor on the home network.
namespace guard {
namespace {

using support::run_program;
using support::RunResult;
using ::testing::HasSubstr;

const support::PrivateState kPrivate(support::Network::own);
const std::string kGuard = GUARD_BINARY_DIR "/cli/guard";
const std::string kData = "/var/lib/guard/portfolio";

RunResult guard(std::vector<std::string> words) {
    words.insert(words.begin(), kGuard);
    return run_program(words, {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}});
}

// A visitor, who tries again while the server is starting.
RunResult visit(const std::string& path) {
    return run_program({"curl", "-sS", "--retry", "40", "--retry-connrefused", "--retry-delay", "0",
                        "--retry-max-time", "20", "--max-time", "5", "--path-as-is", "-w", " %{http_code}",
                        "http://192.168.1.20" + path});
}

// "as declared   12 tasks, 68 checks" -> "68"
std::string checks_in(const std::string& text) {
    std::smatch found;
    const bool is_there =
        std::regex_search(text, found, std::regex("as declared +[0-9]+ tasks, ([0-9]+) checks"));
    return is_there ? found[1].str() : "none in: " + text;
}

class PortfolioTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (support::no_private_state() || ::access("/usr/bin/node", X_OK) != 0) return;
        const auto lan =
            run_program({"sh", "-ec",
                         "ip link add home0 type veth peer name home1; ip address add "
                         "192.168.1.20/24 dev home0; ip link set home0 up; ip link set home1 up"});
        ASSERT_EQ(lan.status, 0) << lan.err;
        const auto first = guard({"launch", "--profile", "portfolio", "--", "/bin/true"});
        ASSERT_EQ(first.status, 0) << first.err;
        const auto made = run_program(
            {"sh", "-ec",
             fmt::format(
                 "cp {1}/tests/workloads/portfolio/server.js {0}; mkdir -p {0}/site; echo '<h1>Me</h1>' "
                 ">{0}/site/index.html; chmod -R go+rX {0}",
                 kData, GUARD_SOURCE_DIR)});
        ASSERT_EQ(made.status, 0) << made.err;
    }
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (::access("/usr/bin/node", X_OK) != 0) GTEST_SKIP() << "no /usr/bin/node: apt-get install nodejs";
        if (run_program({"curl", "--version"}).status != 0) GTEST_SKIP() << "no curl: apt-get install curl";
    }
    static void life_of_a_site(const std::vector<std::string>& more) {
        std::vector<std::string> words{"launch", "--profile", "portfolio", "--detach"};
        words.insert(words.end(), more.begin(), more.end());
        const auto launched = guard(words);
        ASSERT_EQ(launched.status, 0) << launched.err;
        EXPECT_EQ(visit("/").out, "<h1>Me</h1>\n 200");
        EXPECT_EQ(visit("/nothing").out, "not here\n 404");
        EXPECT_EQ(visit("/../server.js").out, "not here\n 404") << "outside of the site";
        const auto audit = guard({"audit", "portfolio"});
        EXPECT_EQ(audit.status, 0) << audit.out << audit.err;
        EXPECT_THAT(audit.out, HasSubstr("portfolio   as declared"));
        EXPECT_EQ(checks_in(support::text_of(GUARD_SOURCE_DIR "/README.md")), checks_in(audit.out));
        const auto stopped = guard({"stop", "portfolio"});
        EXPECT_EQ(stopped.status, 0) << stopped.err;
        EXPECT_THAT(guard({"logs", "portfolio"}).out, HasSubstr("serving /srv/portfolio/site"));
    }
};

TEST_F(PortfolioTest, AVisitorGetsTheSiteAndTheContainerIsAsDeclared) { life_of_a_site({}); }

// A denied call would end the server here, where it is answered EPERM under the profile as shipped.
TEST_F(PortfolioTest, NothingThatItAsksForIsDenied) { life_of_a_site({"--set", "seccomp.on-denied=kill"}); }

TEST_F(PortfolioTest, WhoBreaksInCanNeitherChangeTheSiteNorCallHome) {
    const auto result = guard({"launch", "--profile", "portfolio", "--", "/usr/bin/node", "-e",
                               "const fs = require('fs');"
                               "try { fs.writeFileSync('/srv/portfolio/site/index.html', 'x') }"
                               "catch (e) { console.log('write', e.code) }"
                               "require('net').connect(80, '192.168.1.20').on('error', e => "
                               "console.log('connect', e.code)).on('connect', () => console.log('in'))"});
    EXPECT_THAT(result.out, HasSubstr("write EROFS"));
    EXPECT_THAT(result.out, HasSubstr("connect E"));
}

}  // namespace
}  // namespace guard
