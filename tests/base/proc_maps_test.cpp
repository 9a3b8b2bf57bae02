#include "base/proc_maps.h"

#include <gmock/gmock.h>

namespace guard {
namespace {

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
