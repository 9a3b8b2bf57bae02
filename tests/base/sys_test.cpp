#include "base/sys.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/support/temp_dir.h"

namespace guard {
namespace {

using testing::ElementsAre;

class RecordTest : public testing::TestWithParam<std::size_t> {};

TEST_P(RecordTest, IsReadWholeWhateverItsSize) {
    std::string text(GetParam(), 'x');
    for (std::size_t at = 0; at < text.size(); at += 7) text[at] = static_cast<char>('a' + at % 26);
    support::TempDir folder;
    const auto path = folder.write("record", text);
    EXPECT_EQ(sys::read_record(AT_FDCWD, path), text);
    const auto file = sys::open(path, O_RDONLY).value();
    EXPECT_EQ(sys::pread_record(file.get(), "record"), text);
    EXPECT_EQ(sys::pread_record(file.get(), "record"), text) << "a second time";
}
INSTANTIATE_TEST_SUITE_P(AroundTheBuffer, RecordTest,
                         testing::Values(0, 1, 16'383, 16'384, 16'385, 32'768, 100'001));

TEST(RecordTest, OneThatIsNotThereFailsWithItsErrno) {
    EXPECT_EQ(sys::read_record(AT_FDCWD, "/proc/self/no-such").error().code, ENOENT);
    EXPECT_EQ(sys::pread_record(-1, "none").error().code, EBADF);
}

TEST(ListDirectoryTest, NamesAreSortedAndWithoutTheTwoThatAreAlwaysThere) {
    support::TempDir folder;
    for (const auto* name : {"b", "a", "..."}) folder.write(name, "");
    EXPECT_THAT(sys::list_directory(AT_FDCWD, folder.path()).value(), ElementsAre("...", "a", "b"));
}

TEST(ListDirectoryTest, AFolderThatNeedsSeveralReadsIsListedWhole) {
    support::TempDir folder;
    constexpr int kFiles = 2'000;  // about 100 bytes each: several buffers
    for (int i = 0; i < kFiles; ++i) folder.write(std::to_string(i) + std::string(70, 'x'), "");
    EXPECT_EQ(sys::list_directory(AT_FDCWD, folder.path())->size(), kFiles);
}

}  // namespace
}  // namespace guard
