#include "audit/own_rights.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

#include "base/proc_status.h"
#include "base/sys.h"
#include "posture/capability.h"
#include "tests/support/child.h"
#include "tests/support/private_state.h"

namespace guard {
namespace {

std::uint64_t bit(int capability) { return 1ULL << static_cast<unsigned>(capability); }

// In a child: what is dropped does not come back.
int dropped_well(audit::Writes writes, std::uint64_t never, std::uint64_t kept) {
    if (!audit::drop_other_rights(writes)) return 1;
    const auto text = sys::read_file("/proc/self/status");
    const auto status = text ? parse_proc_status(*text) : std::unexpected(text.error());
    if (!status) return 2;
    if ((status->cap_permitted & never) != 0 || (status->cap_bounding & never) != 0) return 3;
    if ((status->cap_effective & kept) != kept) return 4;
    if (status->no_new_privs != 1 || status->cap_ambient != 0) return 5;
    return 0;
}

int in_child(audit::Writes writes, std::uint64_t never, std::uint64_t kept) {
    return support::status_of_child([=] { return dropped_well(writes, never, kept); });
}

TEST(OwnRightsTest, AnAuditKeepsOnlyWhatItReadsWith) {
    if (const auto why = support::no_root()) GTEST_SKIP() << *why;
    const auto never = bit(CAP_SYS_MODULE) | bit(CAP_KILL) | bit(CAP_SETUID) | bit(CAP_DAC_OVERRIDE);
    EXPECT_EQ(in_child(audit::Writes::own_files, never, bit(CAP_SYS_PTRACE)), 0);
}

TEST(OwnRightsTest, WhoWritesElsewhereMayWriteThere) {
    if (const auto why = support::no_root()) GTEST_SKIP() << *why;
    EXPECT_EQ(in_child(audit::Writes::any_files, bit(CAP_SYS_MODULE), bit(CAP_DAC_OVERRIDE)), 0);
}

TEST(OwnRightsTest, EachRightThatIsKeptSaysWhatForAndIsNamedOnThePage) {
    const auto page = sys::read_file(GUARD_SOURCE_DIR "/docs/audit-anything.md");
    ASSERT_TRUE(page);
    for (const auto& row : audit::needed_rights()) {
        EXPECT_FALSE(row.needed_for.empty());
        const auto line = "| " + capability_name(row.capability) + " | " + std::string(row.needed_for) + " |";
        EXPECT_NE(page->find(line), std::string::npos) << line;
    }
}

}  // namespace
}  // namespace guard
