#include "launcher/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <sys/resource.h>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/support/temp_dir.h"

namespace guard::launcher {
namespace {

using support::TempDir;
using support::text_of;

struct LogTest : testing::Test {
    TempDir folder;
    std::string path = folder / "logs/web.log";
    [[nodiscard]] Log open(std::uint64_t size, unsigned keep) const {
        auto log = Log::open(path, size, keep);
        EXPECT_TRUE(log) << describe(log.error());
        return std::move(*log);
    }
    [[nodiscard]] std::string all() const {
        std::string text;
        EXPECT_TRUE(read_log(path, [&text](std::string_view bytes) {
            text += bytes;
            return true;
        }));
        return text;
    }
};

TEST_F(LogTest, WhatWasWrittenIsThere) {
    auto log = open(1000, 3);
    log.append("one\n");
    log.append("two\n");
    EXPECT_EQ(text_of(path), "one\ntwo\n");
    EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms{0600});
}

TEST_F(LogTest, ItGoesOnWhereItWas) {
    open(1000, 3).append("one\n");
    open(1000, 3).append("two\n");
    EXPECT_EQ(text_of(path), "one\ntwo\n");
}

TEST_F(LogTest, ItRotatesAtTheEndOfALine) {
    auto log = open(10, 3);
    log.append("1234\n5678\nabcd\n");
    EXPECT_EQ(text_of(path + ".1"), "1234\n5678\n");
    EXPECT_EQ(text_of(path), "abcd\n");
}

TEST_F(LogTest, ItNeverGrowsPastItsSizeTimesTheFilesKept) {
    auto log = open(100, 3);
    for (int i = 0; i < 1000; ++i) log.append("line " + std::to_string(i) + "\n");
    std::uintmax_t sum = 0;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "logs")) {
        EXPECT_LE(entry.file_size(), 100U);
        sum += entry.file_size();
        ++files;
    }
    EXPECT_EQ(files, 4U);
    EXPECT_LE(sum, 400U);
    EXPECT_TRUE(all().ends_with("line 998\nline 999\n"));
}

TEST_F(LogTest, ALineLongerThanAFileIsCutNotLost) {
    auto log = open(10, 5);
    log.append(std::string(35, 'x') + "\n");
    EXPECT_EQ(all(), std::string(35, 'x') + "\n");
}

TEST_F(LogTest, KeepingNoneStaysWithinOneFile) {
    auto log = open(10, 0);
    for (int i = 0; i < 100; ++i) log.append("1234\n");
    EXPECT_LE(text_of(path).size(), 10U);
    EXPECT_FALSE(std::filesystem::exists(path + ".1"));
}

TEST_F(LogTest, ALinkIsNotFollowed) {
    folder.write("target", "precious");
    folder.make("logs");
    std::filesystem::create_symlink(folder / "target", path);
    EXPECT_FALSE(Log::open(path, 1000, 3));
    EXPECT_EQ(text_of(folder / "target"), "precious");
}

TEST_F(LogTest, AFifoIsRefusedWithoutWaiting) {
    folder.make("logs");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_FALSE(Log::open(path, 1000, 3));
}

// A file size limit answers writes as a full disk does, without needing a disk to fill.
TEST_F(LogTest, WhatFindsNoRoomIsDroppedCountedAndToldLater) {
    auto log = open(1 << 20, 3);
    log.append("before\n");
    rlimit old{};
    ::getrlimit(RLIMIT_FSIZE, &old);
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit full{7, old.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &full), 0);
    log.append("lost\n");
    log.append("lost too\n");
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
    EXPECT_EQ(log.dropped(), 14U);
    log.append("after\n");
    EXPECT_EQ(text_of(path), "before\n[guard: 14 bytes are missing here: the disk was full]\nafter\n");
}

TEST_F(LogTest, APipeIsTakenToItsEnd) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    UniqueFd read(ends[0]);
    UniqueFd write(ends[1]);
    auto log = open(1000, 3);
    std::string seen;
    const auto see = [&seen](std::string_view bytes) { seen += bytes; };
    EXPECT_TRUE(log.take_from(read.get(), see).value());  // nothing yet is not the end
    ASSERT_EQ(::write(write.get(), "hello\n", 6), 6);
    EXPECT_TRUE(log.take_from(read.get(), see).value());
    write.reset();
    EXPECT_FALSE(log.take_from(read.get(), see).value());
    EXPECT_EQ(text_of(path), "hello\n");
    EXPECT_EQ(seen, "hello\n");
}

TEST_F(LogTest, RotatedFilesAreReadOldestFirst) {
    auto log = open(6, 9);
    std::string whole;
    for (int i = 0; i < 8; ++i) {
        const auto line = "line" + std::to_string(i) + "\n";
        log.append(line);
        whole += line;
    }
    EXPECT_EQ(all(), whole);
}

TEST_F(LogTest, FollowingGoesOverRotations) {
    auto log = open(60, 9);
    log.append("start\n");
    std::atomic<bool> running = true;
    std::string seen;
    std::thread reader([&] {
        EXPECT_TRUE(read_log(
            path,
            [&seen](std::string_view bytes) {
                seen += bytes;
                return true;
            },
            [&running] { return running.load(); }));
    });
    std::string whole = "start\n";
    for (int i = 0; i < 30; ++i) {
        const auto line = "line " + std::to_string(i) + "\n";
        log.append(line);
        whole += line;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    running = false;
    reader.join();
    EXPECT_EQ(seen, whole);
}

TEST_F(LogTest, AReaderThatHasEnoughIsNotGivenMore) {
    auto log = open(4, 9);
    log.append("1\n2\n3\n4\n5\n6\n");
    int calls = 0;
    EXPECT_TRUE(read_log(path, [&calls](std::string_view) { return ++calls < 2; }));
    EXPECT_EQ(calls, 2);
}

struct EscapeCase {
    const char* name;
    std::string written, shown;
};
class EscaperTest : public testing::TestWithParam<EscapeCase> {};
INSTANTIATE_TEST_SUITE_P(
    All, EscaperTest,
    testing::Values(EscapeCase{"PlainText", "plain text\n\ttab", "plain text\n\ttab"},
                    EscapeCase{"TerminalSequences", "\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"},
                    EscapeCase{"TitleAndBell", "\x1b]0;title\x07", "\\x1b]0;title\\x07"},
                    EscapeCase{"CarriageReturnOverwritesALine", "safe\rfake", "safe\\x0dfake"},
                    EscapeCase{"Utf8", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xae",
                               "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x8e\xae"},
                    EscapeCase{"ControlCharactersOfLatin1", "\xc2\x9b[31m", "\\xc2\\x9b[31m"},
                    EscapeCase{"NoUtf8", "\xff\xc0\x80 \xed\xa0\x80", "\\xff\\xc0\\x80 \\xed\\xa0\\x80"},
                    EscapeCase{"Delete", "\x7f", "\\x7f"},
                    EscapeCase{"CutAtTheEnd", "x\xe2\x82", "x\\xe2\\x82"}),
    [](const auto& row) { return row.param.name; });

TEST_P(EscaperTest, NothingReachesTheTerminalThatCouldSteerIt) {
    Escaper escaper;
    const auto shown = escaper(GetParam().written);
    EXPECT_EQ(shown + escaper.rest(), GetParam().shown);
}
TEST_P(EscaperTest, CutsBetweenChunksDoNotMatter) {
    Escaper escaper;
    std::string shown;
    for (const char byte : GetParam().written) shown += escaper({&byte, 1});
    EXPECT_EQ(shown + escaper.rest(), GetParam().shown);
}

}  // namespace
}  // namespace guard::launcher
