#include "base/journal.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>

#include "tests/support/temp_dir.h"

namespace guard {
namespace {

TEST(JournalTest, AFieldIsALineAndOneWithANewlineHasItsLength) {
    const std::array<JournalField, 2> fields{{{"PRIORITY", "3"}, {"MESSAGE", "a\nb"}}};
    EXPECT_EQ(journal_entry(fields), std::string("PRIORITY=3\nMESSAGE\n\3\0\0\0\0\0\0\0a\nb\n", 31));
}

TEST(JournalTest, AnEntryArrivesAsOneDatagram) {
    const support::TempDir folder;
    const auto path = folder / "socket";
    const UniqueFd journal(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path, static_cast<char*>(address.sun_path));
    ASSERT_EQ(::bind(journal.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    const auto writer = Journal::open(path);
    ASSERT_TRUE(writer) << describe(writer.error());
    const std::array<JournalField, 1> fields{{{"MESSAGE", "found"}}};
    ASSERT_TRUE(writer->send(fields));
    std::array<char, 64> buffer{};
    const auto size = ::recv(journal.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    ASSERT_GT(size, 0);
    EXPECT_EQ(std::string(buffer.data(), static_cast<std::size_t>(size)), "MESSAGE=found\n");
}

TEST(JournalTest, WithoutAJournalTheErrorSaysWhatToDo) {
    const auto writer = Journal::open("/nowhere/socket");
    ASSERT_FALSE(writer);
    EXPECT_EQ(writer.error().code, ENOENT);
    EXPECT_NE(writer.error().fix.find("--format json"), std::string::npos);
}

}  // namespace
}  // namespace guard
