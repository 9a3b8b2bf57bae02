#include "audit/inherit.h"

#include <gtest/gtest.h>
#include <linux/capability.h>

namespace guard::audit {
namespace {

ProcStatus contained_task() {
    ProcStatus status;
    status.no_new_privs = 1;
    status.seccomp = 2;
    status.seccomp_filters = 1;
    return status;
}

Posture posture_in(Relation::To user) {
    Posture observed;
    observed.namespaces = Named<Relation>{{"user", {user, ""}}};
    return observed;
}

template <class T>
std::string reason_of(const Known<T>& field) {
    const auto* unread = std::get_if<Unknown>(&field);
    return unread == nullptr ? "" : unread->why;
}

std::string reason_for(const ProcStatus& status, Descent descent) {
    auto observed = posture_in(Relation::To::own);
    fill_inherited(observed, nothing_granted(), status, descent);
    return reason_of(observed.seccomp.access);
}

std::string securebits_reason(const Posture& launched, Relation::To user = Relation::To::own) {
    auto observed = posture_in(user);
    fill_inherited(observed, launched, contained_task(), Descent::yes);
    return reason_of(observed.securebits);
}

TEST(InheritTest, ADescendantWithItsFiltersHoldsWhatWasLaunched) {
    auto observed = posture_in(Relation::To::own);
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

TEST(InheritTest, WhoWasTakenOverByTheFirstProcessMayComeFromElsewhere) {
    EXPECT_NE(reason_for(contained_task(), Descent::adopted).find("from elsewhere"), std::string::npos);
}

TEST(InheritTest, ATracerCanSwitchFiltersOff) {
    auto status = contained_task();
    status.tracer = 77;
    EXPECT_NE(reason_for(status, Descent::yes).find("tracer"), std::string::npos);
}

TEST(InheritTest, ATracerTakesNoLandlockDomainAway) {
    auto status = contained_task();
    status.tracer = 77;
    auto observed = posture_in(Relation::To::own);
    fill_inherited(observed, nothing_granted(), status, Descent::yes);
    EXPECT_NE(value_of(observed.landlock.domain), nullptr);
    EXPECT_NE(value_of(observed.seccomp.content), nullptr);
}

TEST(InheritTest, LockedSecurebitsAreProved) { EXPECT_EQ(securebits_reason(nothing_granted()), ""); }

TEST(InheritTest, SecurebitsThatATaskMayChangeAreNotProved) {
    auto launched = nothing_granted();
    made(launched.securebits)["noroot-locked"] = Lock::open;
    EXPECT_EQ(securebits_reason(launched), "") << "nobody inside has CAP_SETPCAP";
    launched.caps.bounding = CapabilitySet{1ULL << CAP_SETPCAP};
    EXPECT_NE(securebits_reason(launched).find("noroot-locked was not held"), std::string::npos);
}

TEST(InheritTest, ANestedUserNamespaceStartsWithoutSecurebits) {
    EXPECT_NE(securebits_reason(nothing_granted(), Relation::To::nested).find("another user namespace"),
              std::string::npos);
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
