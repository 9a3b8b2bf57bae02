#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <regex>

#include "base/sys.h"
#include "base/unique_fd.h"
#include "tests/support/private_state.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// What a person reads when a container cannot be made: one sentence that names it, and what to do. Nothing is
// left.
namespace guard {
namespace {

using support::run_program;
using support::RunResult;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const support::PrivateState kPrivate(support::Network::own);
const std::string kGuard = GUARD_BINARY_DIR "/cli/guard";

class RefusalsTest : public testing::Test {
protected:
    void SetUp() override { GUARD_SKIP_UNLESS_PRIVATE(); }
    void TearDown() override {
        if (!IsSkipped()) EXPECT_THAT(sys::list_directory(AT_FDCWD, "/run/guard").value(), IsEmpty());
    }

    /// What it says comes without its line ends: where a line breaks depends on the length of names.
    static RunResult guard(std::vector<std::string> words) {
        words.insert(words.begin(), kGuard);
        auto result = run_program(words, {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}});
        result.err = std::regex_replace(result.err, std::regex("\\s+"), " ");
        return result;
    }
    /// A profile over `base` with these lines.
    [[nodiscard]] std::string profile(const std::string& lines) const {
        return folder_.write("box.toml", "guard = 1\nextends = [\"base\"]\n" + lines);
    }
    [[nodiscard]] RunResult launch(const std::string& lines, const std::string& command = "/bin/true") const {
        return guard({"launch", "--profile", profile(lines), "--", command});
    }

    support::TempDir folder_;
};

TEST_F(RefusalsTest, NothingToStartNamesTheFileAndTheLineToWrite) {
    const auto result = guard({"launch", "--profile", "minecraft"});
    EXPECT_EQ(result.status, 127);
    EXPECT_THAT(
        result.err,
        AllOf(HasSubstr("guard: cannot start minecraft: /var/lib/guard/minecraft/start: No such file"),
              HasSubstr(" do: put server.jar there and: echo 'exec java -jar server.jar nogui' | sudo tee"),
              HasSubstr(" /var/lib/guard/minecraft/start ")));
    struct stat made{};
    ASSERT_EQ(::stat("/var/lib/guard/minecraft", &made), 0) << "so that the line can be obeyed";
    EXPECT_NE(made.st_uid, 0U) << "and belongs to the server";
    const auto again = guard({"launch", "--profile", "minecraft"});
    EXPECT_EQ(again.status, 127);
    EXPECT_THAT(again.err, HasSubstr("cannot start minecraft: /var/lib/guard/minecraft/start: No such file"));
}

TEST_F(RefusalsTest, ATakenPortNamesWhoHoldsItAndAWayAround) {
    const UniqueFd taken(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in any{AF_INET, htons(25565), {INADDR_ANY}, {}};
    ASSERT_EQ(::bind(taken.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    ASSERT_EQ(::listen(taken.get(), 1), 0);
    const auto result = guard({"launch", "--profile", "minecraft", "--", "/bin/true"});
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err, HasSubstr("guard: cannot publish lan:25565:25565/tcp: "));
    EXPECT_THAT(result.err,
                HasSubstr(fmt::format("(process {}, user root) listens on 0.0.0.0:25565", ::getpid())));
    EXPECT_THAT(result.err, HasSubstr("--set 'network.publish=[\"lan:25566:25565/tcp\"]'"));
}

TEST_F(RefusalsTest, AMissingSourceIsNamedWithItsPlace) {
    const auto result =
        launch("[filesystem.mounts]\n\"/srv/music\" = { type = \"bind\", source = \"/no/such/music\" }\n");
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err, HasSubstr("guard: cannot mount /no/such/music on /srv/music: it does not exist"));
    EXPECT_THAT(result.err, HasSubstr(" do: "));
}

TEST_F(RefusalsTest, AMissingCommandAndOneThatCannotRunHaveStatusesOfTheirOwn) {
    const auto missing = launch("", "/usr/bin/no-such-server");
    EXPECT_EQ(missing.status, 127);
    EXPECT_THAT(missing.err, HasSubstr("cannot run /usr/bin/no-such-server (container box)"));
    const auto plain = launch("", "/usr/lib/os-release");
    EXPECT_EQ(plain.status, 126);
    EXPECT_THAT(plain.err, HasSubstr("/usr/lib/os-release"));
    EXPECT_THAT(plain.err, HasSubstr("Permission denied"));
}

TEST_F(RefusalsTest, AUserThatCannotBeIsNamedWithItsPlace) {
    const auto result = launch("[process]\nuser = \"no such user!\"\n");
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err, HasSubstr("no such user!"));
    EXPECT_THAT(result.err, HasSubstr("box.toml:4:"));
}

TEST_F(RefusalsTest, WithoutRightsTheSentenceSaysWhatNeedsThem) {
    ASSERT_EQ(::chmod(folder_.path().c_str(), 0755), 0);
    const auto file = profile("[network]\nmode = \"bridge\"\n");
    const auto result = run_program({"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
                                     kGuard, "launch", "--profile", file, "--", "/bin/true"},
                                    {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}});
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err, HasSubstr("needs root"));
    EXPECT_THAT(result.err, HasSubstr("sudo"));
}

TEST_F(RefusalsTest, AProfileThatAnotherMayWriteIsNotObeyed) {
    const auto file = profile("");
    ASSERT_EQ(::chown(file.c_str(), 1001, 1001), 0);
    const auto result = guard({"launch", "--profile", file, "--", "/bin/true"});
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err, HasSubstr("1001"));
    EXPECT_THAT(result.err, HasSubstr(file));
    EXPECT_THAT(result.err, HasSubstr("chown root"));
}

TEST_F(RefusalsTest, AFullRunIsToldWithHowFullItIs) {
    ASSERT_EQ(::mount("tmpfs", "/run/guard", "tmpfs", 0, "size=4k,mode=0700"), 0);
    const std::string fill(8192, 'x');
    const UniqueFd file(::open("/run/guard/filler", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    EXPECT_GT(::write(file.get(), fill.data(), fill.size()), 0);
    const auto result = launch("");
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err,
                AllOf(HasSubstr("/run/guard"), HasSubstr("is full (0 B of 4 KiB free)"), HasSubstr("df -h")));
    EXPECT_THAT(result.err, testing::Not(HasSubstr("started in")));
    ASSERT_EQ(::umount2("/run/guard", MNT_DETACH), 0);
}

TEST_F(RefusalsTest, WhatIsNotActedOnYetIsSaid) {
    const auto result = launch(
        "[service]\nrestart = \"always\"\ndepends = [\"postgres\"]\n"
        "[health]\ncheck = \"tcp\"\nport = 80\n");
    EXPECT_EQ(result.status, 0) << result.err;
    for (const auto* word :
         {"service.restart is not acted on yet (box.toml:", "[health] is not acted on yet (box.toml:",
          "service.depends is not acted on yet (box.toml:"})
        EXPECT_THAT(result.err, HasSubstr(word));
}

TEST_F(RefusalsTest, WhatRestrictsAndCannotBeEnforcedYetIsRefused) {
    const auto result = launch("[secrets]\n\"key\" = { file = \"/etc/hostname\" }\n");
    EXPECT_EQ(result.status, 125);
    EXPECT_THAT(result.err,
                HasSubstr("the secret key can't be done by this version of guard yet (box.toml:"));
    EXPECT_THAT(result.err, HasSubstr(" do: "));
}

}  // namespace
}  // namespace guard
