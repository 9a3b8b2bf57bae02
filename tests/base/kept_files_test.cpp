#include "base/kept_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/digest.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

namespace guard {
namespace {

namespace fs = std::filesystem;

class KeptFilesTest : public testing::Test {
protected:
    [[nodiscard]] std::string file() const { return directory + "/" + key; }
    void write(const std::string& bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }

    support::TempDir temp;
    std::string directory = temp / "cache/things";
    KeptFiles files{directory};
    std::string key = digest_of("what it is made of");
};

TEST_F(KeptFilesTest, WhatIsKeptIsThereTheNextTimeByteByByte) {
    const std::string bytes("a\0b\n\xff", 5);
    EXPECT_FALSE(files.get(key));
    files.keep(key, bytes);
    EXPECT_EQ(files.get(key), bytes);
    files.keep(key, "another");
    EXPECT_EQ(files.get(key), "another");
    EXPECT_FALSE(files.get(digest_of("something else")));
}

TEST_F(KeptFilesTest, NobodyElseMayReadOrWriteIt) {
    files.keep(key, "bytes");
    struct stat status{};
    ASSERT_EQ(::stat(directory.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0700U);
    ASSERT_EQ(::stat(file().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST_F(KeptFilesTest, AFileThatIsNotWholeIsNotTaken) {
    files.keep(key, "bytes");
    const auto whole = support::text_of(file());
    auto flipped = whole;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    for (const auto& bytes : {std::string(), whole.substr(0, whole.size() - 1), whole.substr(0, 20), flipped,
                              whole + "x", std::string(100'000, 'x')}) {
        write(bytes);
        EXPECT_FALSE(files.get(key)) << bytes.size() << " bytes";
    }
    write(whole);
    EXPECT_EQ(files.get(key), "bytes");
}

TEST_F(KeptFilesTest, WhatWasFiledUnderAnotherKeyIsNotTaken) {
    const auto other = digest_of("something else");
    files.keep(other, "its bytes");
    fs::copy_file(directory + "/" + other, file());
    EXPECT_FALSE(files.get(key));
}

TEST_F(KeptFilesTest, WhatOthersMayWriteIsNotTaken) {
    files.keep(key, "bytes");
    ASSERT_EQ(::chmod(file().c_str(), 0666), 0);
    EXPECT_FALSE(files.get(key));
    ASSERT_EQ(::chmod(file().c_str(), 0600), 0);
    EXPECT_TRUE(files.get(key));
    ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
    EXPECT_FALSE(files.get(key));
}

TEST_F(KeptFilesTest, WhatAnotherUserOwnsIsNotTaken) {
    if (const auto why = support::no_root()) GTEST_SKIP() << *why;
    files.keep(key, "bytes");
    ASSERT_EQ(::chown(file().c_str(), 12345, 12345), 0);
    EXPECT_FALSE(files.get(key));
}

TEST_F(KeptFilesTest, WhereNothingCanBeWrittenNothingIsKept) {
    for (const auto& nowhere :
         {temp.write("file", "") + "/things", std::string("/dev/full"), std::string()}) {
        const KeptFiles none(nowhere);
        none.keep(key, "bytes");
        EXPECT_FALSE(none.get(key)) << nowhere;
    }
    EXPECT_FALSE(KeptFiles().get(key));
}

TEST_F(KeptFilesTest, TheyDoNotGrowWithoutEnd) {
    fs::create_directories(directory);
    for (int i = 0; i < 300; ++i) std::ofstream(directory + "/" + std::to_string(i)) << "old";
    files.keep(key, "bytes");
    EXPECT_EQ(files.get(key), "bytes");
    EXPECT_EQ(std::distance(fs::directory_iterator(directory), {}), 1);
}

}  // namespace
}  // namespace guard
