#include "base/proc_maps.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"
#include "tests/support/temp_dir.h"

namespace guard {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

// Kernel 6.18, a server whose C library was replaced by an update; 6.1 prints the same columns.
constexpr const char* kReplaced =
    "55d0c0a00000-55d0c0a02000 r--p 00000000 fe:00 1234                       /usr/bin/cat\n"
    "7f3a1c000000-7f3a1c021000 rw-p 00000000 00:00 0 \n"
    "7f3a1d000000-7f3a1d155000 r-xp 00026000 fe:00 99                         /usr/lib/libc.so.6 (deleted)\n"
    "7f3a1d155000-7f3a1d1a8000 r--p 0017b000 fe:00 99                         /usr/lib/libc.so.6 (deleted)\n"
    "7f3a1e000000-7f3a1e001000 r-xp 00000000 fe:00 98                         /srv/a\\012b.so (deleted)\n"
    "7f3a1f000000-7f3a1f001000 r-xp 00000000 00:01 7                          /memfd:jit (deleted)\n"
    "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0                          [stack]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";

TEST(MapsTest, CodeOfFilesThatAreGoneIsNamedOnceWithoutWhatLivesInMemory) {
    const auto maps = parse_maps(kReplaced);
    ASSERT_TRUE(maps);
    EXPECT_THAT(maps->deleted, ElementsAre("/srv/a\nb.so", "/usr/lib/libc.so.6"));
    EXPECT_FALSE(maps->write_exec);
}

TEST(MapsTest, OneMappingThatMayBeWrittenAndExecutedIsEnough) {
    const auto maps = parse_maps("7f3a1c000000-7f3a1c021000 rwxp 00000000 00:00 0 \n");
    ASSERT_TRUE(maps);
    EXPECT_TRUE(maps->write_exec);
}

// This process, with code that may be written, and code of a file that is gone.
TEST(MapsTest, TheKernelsAnswersAndItsFileTellTheSame) {
    support::TempDir folder;
    const auto path = folder.write("a\nb.so", std::string(4096, 'x'));
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_NE(::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0), MAP_FAILED);
    ASSERT_EQ(::unlink(path.c_str()), 0);
    const auto read = [] {
        const UniqueFd self(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
        return std::pair(read_maps(self.get()).value(),
                         parse_maps(sys::read_file(self.get(), "maps").value()).value());
    };
    const auto [asked, printed] = read();
    EXPECT_THAT(asked.deleted, Contains(path));
    EXPECT_EQ(asked, printed);
    EXPECT_FALSE(asked.write_exec);
    auto* const both =
        ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ASSERT_NE(both, MAP_FAILED);
    const auto [asked_again, printed_again] = read();
    EXPECT_TRUE(asked_again.write_exec);
    EXPECT_EQ(asked_again, printed_again);
    ::munmap(both, 4096);
}

TEST(MapsTest, AnEmptyMapIsOneOfAKernelThread) { EXPECT_EQ(*parse_maps(""), MemoryMaps{}); }
TEST(MapsTest, ABrokenLineIsAnError) { EXPECT_FALSE(parse_maps("7f3a1c000000-7f3a1c021000\n")); }

TEST(EnvironmentTest, NamesAreToldAndNeverValues) {
    using namespace std::string_view_literals;
    EXPECT_THAT(names_in_environment("LANG=C\0LD_PRELOAD=/tmp/x=y.so\0=x\0garbage\0"sv),
                ElementsAre("LANG", "LD_PRELOAD"));
    EXPECT_THAT(names_in_environment(""), IsEmpty());
}

}  // namespace
}  // namespace guard
