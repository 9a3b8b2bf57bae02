#include "audit/host_names.h"

#include <gtest/gtest.h>

namespace guard::audit {
namespace {

TEST(HostNamesTest, TheFirstNameOfAnIdCountsAndBrokenLinesDoNot) {
    const auto names = parse_id_names("root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\nbroken\nx:y:z:\n");
    EXPECT_EQ(names.size(), 1U);
    EXPECT_EQ(name_of(names, 0), "root");
}

TEST(HostNamesTest, AnIdWithoutANameStaysANumber) { EXPECT_EQ(name_of({}, 300'999), "(300999)"); }

}  // namespace
}  // namespace guard::audit
