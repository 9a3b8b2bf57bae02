#include "audit/inherit.h"

#include <gtest/gtest.h>

namespace guard::audit {
namespace {

ProcStatus contained_task() {
    ProcStatus status;
    status.no_new_privs = 1;
    status.seccomp = 2;
    status.seccomp_filters = 1;
    return status;
}

std::string reason_for(const ProcStatus& status, Descent descent) {
    Posture observed;
    fill_inherited(observed, nothing_granted(), status, descent);
    const auto* unread = std::get_if<Unknown>(&observed.securebits);
    return unread == nullptr ? "" : unread->why;
}

TEST(InheritTest, ADescendantWithItsFiltersHoldsWhatWasLaunched) {
    Posture observed;
    const auto launched = nothing_granted();
    fill_inherited(observed, launched, contained_task(), Descent::yes);
    ASSERT_NE(value_of(observed.securebits), nullptr);
    EXPECT_EQ(*value_of(observed.securebits), *value_of(launched.securebits));
    EXPECT_NE(value_of(observed.seccomp.access), nullptr);
    EXPECT_NE(value_of(observed.landlock.domain), nullptr);
}

TEST(InheritTest, WhoDoesNotDescendHasNoProof) {
    EXPECT_NE(reason_for(contained_task(), Descent::no).find("does not descend"), std::string::npos);
}

TEST(InheritTest, ATracerCanSwitchFiltersOff) {
    auto status = contained_task();
    status.tracer = 77;
    EXPECT_NE(reason_for(status, Descent::yes).find("tracer"), std::string::npos);
}

TEST(InheritTest, FewerFiltersThanLaunchedIsNoProof) {
    auto status = contained_task();
    status.seccomp_filters = 0;
    EXPECT_NE(reason_for(status, Descent::yes).find("fewer filters"), std::string::npos);
}

TEST(InheritTest, MoreFiltersThanLaunchedIsAProofStill) {
    auto status = contained_task();
    status.seccomp_filters = 2;
    EXPECT_EQ(reason_for(status, Descent::yes), "");
}

TEST(InheritTest, WithoutNoNewPrivsNothingIsProved) {
    auto status = contained_task();
    status.no_new_privs = 0;
    EXPECT_NE(reason_for(status, Descent::yes).find("no_new_privs"), std::string::npos);
}

}  // namespace
}  // namespace guard::audit
