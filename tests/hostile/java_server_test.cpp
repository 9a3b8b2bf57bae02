#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <regex>
#include <thread>

#include "base/sys.h"
#include "base/unique_fd.h"
#include "tests/support/private_state.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// A Java server under the shipped profile `minecraft`, as its owner would run it: a one-line file `start`.
namespace guard {
namespace {

using namespace std::chrono_literals;
using support::run_program;
using support::RunResult;
using ::testing::HasSubstr;

const support::PrivateState kPrivate(support::Network::own);
const std::string kGuard = GUARD_BINARY_DIR "/cli/guard";
const std::string kData = "/var/lib/guard/minecraft", kLog = "/var/log/guard/minecraft.log";
constexpr auto kHome = "192.168.1.20";

RunResult guard(std::vector<std::string> words) {
    words.insert(words.begin(), kGuard);
    return run_program(words, {.env = {{"GUARD_PROFILE_PATH", GUARD_SOURCE_DIR "/profiles"}}});
}

// ---- the protocol of the Java edition, as far as its list of servers speaks it

std::string var_int(std::uint32_t value) {
    std::string bytes;
    for (; value > 0x7f; value >>= 7U) bytes += static_cast<char>((value & 0x7fU) | 0x80U);
    return bytes + static_cast<char>(value);
}
std::string packet(const std::string& body) {
    return var_int(static_cast<std::uint32_t>(body.size())) + body;
}
std::string text(const std::string& word) { return var_int(static_cast<std::uint32_t>(word.size())) + word; }

class Player {
public:
    explicit Player(const char* host) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in to{AF_INET, htons(25565), {}, {}};
        ::inet_pton(AF_INET, host, &to.sin_addr);
        const timeval patience{5, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        connected_ = ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    }
    [[nodiscard]] bool connected() const { return connected_; }
    void send(const std::string& bytes) const {
        EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
    }
    [[nodiscard]] std::string receive() const {
        std::string body(number(), '\0');
        for (std::size_t at = 0; at < body.size();) {
            const auto got = ::recv(fd_.get(), body.data() + at, body.size() - at, 0);
            if (got <= 0) return {};
            at += static_cast<std::size_t>(got);
        }
        return body;
    }

private:
    [[nodiscard]] std::uint32_t number() const {
        std::uint32_t value = 0;
        for (unsigned shift = 0; shift < 35; shift += 7) {
            unsigned char part = 0;
            if (::recv(fd_.get(), &part, 1, 0) != 1) return 0;
            value |= (part & 0x7fU) << shift;
            if ((part & 0x80U) == 0) break;
        }
        return value;
    }
    UniqueFd fd_;
    bool connected_ = false;
};

/// The status that a server's list shows, and the answer to a ping behind it.
std::pair<std::string, std::string> status_and_pong(const char* host) {
    const Player player(host);
    if (!player.connected()) return {};
    constexpr std::uint32_t kProtocol = 769;  // 1.21.4
    player.send(
        packet(var_int(0) + var_int(kProtocol) + text(host) + std::string("\x63\xdd", 2) + var_int(1)));
    player.send(packet(var_int(0)));
    auto status = player.receive();
    player.send(packet(var_int(1) + "12345678"));
    return {std::move(status), player.receive()};
}

std::string log_after(const std::string& word, std::chrono::seconds most) {
    const auto end = std::chrono::steady_clock::now() + most;
    while (std::chrono::steady_clock::now() < end && !support::text_of(kLog).contains(word))
        std::this_thread::sleep_for(50ms);
    return support::text_of(kLog);
}

class JavaServerTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (support::no_private_state() || !has_java()) return;
        const auto lan = run_program(
            {"sh", "-ec",
             "ip link add home0 type veth peer name home1; ip address add 192.168.1.20/24 dev home0;"
             "ip link set home0 up; ip link set home1 up"});
        ASSERT_EQ(lan.status, 0) << lan.err;
        const auto first = guard({"launch", "--profile", "minecraft", "--", "/bin/true"});
        ASSERT_EQ(first.status, 0) << first.err;
        const support::TempDir folder;
        const auto source = folder.write("native.c", "int guard_test_native(void) { return 1; }\n");
        const auto made = run_program(
            {"sh", "-ec",
             fmt::format(
                 "javac -d {0} {1}/tests/workloads/java/StatusServer.java; cc -shared -o {0}/native.so {2};"
                 "echo 'exec java StatusServer 25565 native.so' >{0}/start; chmod -R go+rX {0}",
                 kData, GUARD_SOURCE_DIR, source)});
        ASSERT_EQ(made.status, 0) << made.err;
    }
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (!has_java()) GTEST_SKIP() << "no javac here: apt-get install openjdk-17-jdk-headless";
        ASSERT_EQ(::access((kData + "/start").c_str(), R_OK), 0);
        ::unlink(kLog.c_str());
    }
    static bool has_java() { return run_program({"javac", "-version"}).status == 0; }

    /// Launches, plays and stops; what the launch said and its status.
    static RunResult life_of_a_server(const std::vector<std::string>& more) {
        std::vector<std::string> words{"launch", "--profile", "minecraft", "--verbose"};
        words.insert(words.end(), more.begin(), more.end());
        RunResult launched;
        std::thread server([&] { launched = guard(words); });
        EXPECT_THAT(log_after("Done!", 30s), HasSubstr("Done!"));
        const auto [status, pong] = status_and_pong(kHome);
        EXPECT_THAT(status, HasSubstr("\"A Server\""));
        EXPECT_EQ(pong,
                  "\x01"
                  "12345678");
        EXPECT_THAT(status_and_pong("127.0.0.1").first, HasSubstr("\"A Server\""))
            << "on this machine itself";
        EXPECT_THAT(guard({"status", "minecraft"}).out, HasSubstr("java as minecraft"));
        std::this_thread::sleep_for(1100ms);  // the region is written once a second
        const auto stopped = guard({"stop", "minecraft"});
        EXPECT_EQ(stopped.status, 0) << stopped.err;
        server.join();
        return launched;
    }
};

TEST_F(JavaServerTest, ServesSeesItsLimitsLoadsItsLibraryAndSavesOnStop) {
    const auto launched = life_of_a_server({});
    EXPECT_EQ(launched.status, 143) << launched.err;
    EXPECT_THAT(launched.err,
                HasSubstr("own users, own network, no rights on this machine, 2 GiB, 2 cores\n"));
    EXPECT_THAT(launched.err, HasSubstr("minecraft  at home     192.168.1.20:25565\n"));
    EXPECT_THAT(launched.err, HasSubstr("asked it to save and stop (SIGTERM); up to 60 s"));
    EXPECT_THAT(launched.err, HasSubstr("as asked (status 143). Data: " + kData));
    const auto log = support::text_of(kLog);
    std::smatch seen;
    ASSERT_TRUE(std::regex_search(log, seen, std::regex("(\\d+) cpus, max heap (\\d+) MiB, host (\\S+),")))
        << log;
    EXPECT_EQ(seen[1], std::to_string(std::min(2U, std::thread::hardware_concurrency())));
    EXPECT_NEAR(std::stod(seen[2]), 0.7 * 2048, 64) << "70 % of the limit, not of the machine";
    EXPECT_EQ(seen[3], "minecraft");
    EXPECT_THAT(log, HasSubstr("native library loaded from /var/cache/java"));
    EXPECT_THAT(log, HasSubstr("World saved at tick"));
    EXPECT_GT(std::stoi(support::text_of(kData + "/world/level.dat")), 10);
    EXPECT_EQ(::access((kData + "/world/r.0.0.mca").c_str(), F_OK), 0);
}

// A denied call would end the server here, where it is answered EPERM under the profile as shipped.
TEST_F(JavaServerTest, NothingThatItAsksForIsDenied) {
    const auto launched = life_of_a_server({"--set", "seccomp.on-denied=kill"});
    EXPECT_EQ(launched.status, 143) << launched.err;
    const auto log = support::text_of(kLog);
    EXPECT_THAT(log, ::testing::Not(HasSubstr(", 0 ticks loaded"))) << "the world of the run before";
    EXPECT_THAT(log, HasSubstr("World saved at tick"));
}

// Without it the test above would prove nothing.
TEST_F(JavaServerTest, ADeniedCallEndsTheCommandWhereKillIsAskedFor) {
    const auto result = guard({"launch", "--profile", "minecraft", "--set", "seccomp.on-denied=kill", "--",
                               "/bin/mount", "-t", "tmpfs", "none", "/tmp"});
    EXPECT_EQ(result.status, 159) << result.err;
}

}  // namespace
}  // namespace guard
