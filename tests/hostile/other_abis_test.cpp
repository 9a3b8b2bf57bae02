#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/private_state.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// Another table of system calls than the machine's own: killed unless `abis` names it, and then held by the
// same rules. An x86-64 program reaches i386's table by int $0x80. syscall(2)
namespace guard {
namespace {

using support::run_program;
using support::RunResult;
using ::testing::HasSubstr;

const support::PrivateState kPrivate;
constexpr int kKilledBySigsys = 128 + 31;

class OtherAbisTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        ::chmod(folder.path().c_str(), 0755);
        const auto source =
            folder.write("asks.c",
                         "#include <stdio.h>\n"
                         "static long ask(long nr) { long r; __asm__ volatile(\"int $0x80\" : "
                         "\"=a\"(r) : \"a\"(nr), \"b\"(0), \"c\"(0) : \"memory\"); return r; }\n"
                         "int main(void) { long pid = ask(20), uts = ask(74);\n"
                         "printf(\"getpid %ld, sethostname %ld\\n\", pid, uts); return 0; }\n");
        const auto made = run_program({"cc", "-o", folder.path() + "/asks", source});
        ASSERT_EQ(made.status, 0) << made.err;
        if (run_program({folder.path() + "/asks"}).status != 0)
            GTEST_SKIP() << "this kernel has no i386 calls";
        folder.write(
            "asks.toml",
            fmt::format("guard = 1\nextends = [\"base\"]\n[filesystem.mounts]\n\"/srv/asks\" = {{ type = "
                        "\"bind\", source = \"{}\", exec = true }}\n",
                        folder.path()));
    }
    [[nodiscard]] RunResult guard(std::vector<std::string> words) const {
        words.insert(words.begin(), {GUARD_BINARY_DIR "/cli/guard"});
        return run_program(words, {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}});
    }
    [[nodiscard]] RunResult launch(const std::string& abis, const std::vector<std::string>& command) const {
        std::vector<std::string> words{"launch", "--profile", folder.path() + "/asks.toml", "--set",
                                       "seccomp.abis=" + abis};
        words.insert(words.end(), command.begin(), command.end());
        return guard(words);
    }
    support::TempDir folder;
};

TEST_F(OtherAbisTest, AreKilledWhereNothingNamesThem) {
    EXPECT_EQ(launch("[\"native\"]", {"--", "/srv/asks/asks"}).status, kKilledBySigsys);
    EXPECT_EQ(launch("[\"native\", \"x32\"]", {"--", "/srv/asks/asks"}).status, kKilledBySigsys);
}

TEST_F(OtherAbisTest, AreHeldByTheSameRulesWhereTheProfileNamesThem) {
    const auto result = launch("[\"native\", \"i386\"]", {"--", "/srv/asks/asks"});
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("sethostname -1\n")) << "EPERM by the filter";
}

TEST_F(OtherAbisTest, AreAuditedAsDeclared) {
    const auto launched =
        launch("[\"native\", \"i386\", \"x32\"]", {"--detach", "--name", "asks", "--", "/bin/sleep", "60"});
    ASSERT_EQ(launched.status, 0) << launched.err;
    const auto audit = guard({"audit", "asks"});
    EXPECT_EQ(audit.status, 0) << audit.out;
    EXPECT_THAT(audit.out, HasSubstr("as declared"));
    EXPECT_EQ(guard({"stop", "asks"}).status, 0);
}

}  // namespace
}  // namespace guard
