#include "audit/exact.h"

#include <gmock/gmock.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>

#include "posture/filter/name.h"

namespace guard::audit {
namespace {

using testing::HasSubstr;

std::string bytes_of(std::vector<sock_filter> program) {
    return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof program[0]};
}
const std::string kLaunched = bytes_of({BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1)});
const std::string kOther = bytes_of({BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)});

Posture launched() {
    auto posture = nothing_granted();
    posture.seccomp.content = Named<Lock>{{filter_name(kLaunched), Lock::held}};
    return posture;
}

/// A task that carries these filters, newest first, and is else as launched.
ExactFacts carries(const std::vector<std::string>& filters) {
    ExactFacts facts;
    facts.demanded = true;
    facts.read = std::make_shared<ReadFilters>();
    std::vector<std::string> names;
    for (const auto& bytes : filters) {
        facts.read->bytes.emplace(names.emplace_back(filter_name(bytes)), bytes);
        facts.loads.push_back(static_cast<std::uint32_t>(facts.loads.size()));
    }
    facts.filters.emplace(std::move(names));
    return facts;
}

Posture filled(const ExactFacts& facts, const Posture& as_launched = launched()) {
    auto observed = as_launched;
    fill_exact(observed, as_launched, facts);
    return observed;
}

TEST(ExactTest, TheLaunchedFilterAllowsWhatWasLaunched) {
    const auto seen = filled(carries({kLaunched}));
    EXPECT_EQ(*value_of(seen.seccomp.content), *value_of(launched().seccomp.content));
    EXPECT_NE(value_of(seen.seccomp.access), nullptr);
}

TEST(ExactTest, AFilterMoreAllowsNoMore) {
    const auto seen = filled(carries({kOther, kLaunched}));
    EXPECT_EQ(value_of(seen.seccomp.content)->size(), 2U);
    EXPECT_NE(value_of(seen.seccomp.access), nullptr);
}

TEST(ExactTest, AnotherFilterOfTheSameCountIsToldWithWhatItAllows) {
    const auto facts = carries({kOther});
    EXPECT_FALSE(value_of(filled(facts).seccomp.content)->contains(filter_name(kLaunched)));
    EXPECT_THAT(newly_allowed(launched(), facts), HasSubstr(" more"));
}

TEST(ExactTest, OtherBytesThatLetNoCallMoreThroughCountAsLaunched) {
    const auto facts = carries({bytes_of({BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)})});
    EXPECT_EQ(*value_of(filled(facts).seccomp.content), *value_of(launched().seccomp.content));
    EXPECT_EQ(newly_allowed(launched(), facts), "");
}

TEST(ExactTest, WhereNoBytesWereRecordedTheMeaningOfAllFiltersDecides) {
    const auto declared = nothing_granted();
    const auto tight = carries({kLaunched}), open = carries({kOther}), both = carries({kOther, kLaunched});
    EXPECT_EQ(newly_allowed(declared, tight), "");
    EXPECT_THAT(newly_allowed(declared, open), HasSubstr(" more"));
    EXPECT_EQ(newly_allowed(declared, both), "") << "the tighter one of a stack holds";
    EXPECT_EQ(newly_allowed(declared, carries({})), "") << "none at all: seccomp.mode tells that";
    for (const auto& facts : {tight, open, both}) {
        const auto seen = filled(facts, declared);
        EXPECT_TRUE(value_of(seen.seccomp.content)->empty()) << "nothing to compare bytes with";
        EXPECT_NE(value_of(seen.seccomp.access), nullptr);
    }
}

TEST(ExactTest, FiltersThatWereOnGuardItselfAreNoneOfTheContainers) {
    auto as_launched = launched();
    as_launched.seccomp.filters = Floor<unsigned>{2};
    const auto seen = filled(carries({kLaunched, kOther}), as_launched);
    EXPECT_EQ(*value_of(seen.seccomp.content), *value_of(as_launched.seccomp.content));
}

TEST(ExactTest, SecurebitsThatWereOpenedAreOpen) {
    ExactFacts facts;
    facts.securebits.emplace(static_cast<unsigned>(SECBIT_NOROOT));
    const auto seen = filled(facts);
    EXPECT_EQ(*value_of(seen.securebits), (Named<Lock>{{"noroot", Lock::held}}));
}

TEST(ExactTest, NoLandlockLayerIsNoDomain) {
    ExactFacts facts;
    facts.landlock_layers.emplace(0U);
    EXPECT_EQ(*value_of(filled(facts).landlock.domain), Lock::open);
}

TEST(ExactTest, OutsideADomainThereAreNoRulesToDiffer) {
    auto observed = Posture{};
    ExactFacts facts;
    facts.landlock_layers.emplace(1U);
    fill_exact(observed, launched(), facts);
    EXPECT_EQ(value_of(observed.landlock.read), nullptr) << "the kernel tells layers, not rules";
    facts.landlock_layers.emplace(0U);
    fill_exact(observed, launched(), facts);
    EXPECT_NE(value_of(observed.landlock.read), nullptr) << "landlock.domain says all";
}

TEST(ExactTest, FiltersThatATracerSwitchedOffAreNoFilters) {
    auto facts = carries({kLaunched});
    facts.filters_in_force = false;
    EXPECT_EQ(*value_of(filled(facts).seccomp.mode), Lock::open);
}

TEST(ExactTest, AMissingAnswerLeavesAProofStandingUnlessItWasDemanded) {
    ExactFacts facts;
    facts.securebits.emplace(Unknown{EPERM, "load the program"});
    EXPECT_NE(value_of(filled(facts).securebits), nullptr);
    facts.demanded = true;
    EXPECT_EQ(value_of(filled(facts).securebits), nullptr);
}

TEST(ExactTest, AMissingAnswerAndAMissingProofAreBothTold) {
    Posture observed;
    observed.securebits = Unknown{0, "not proved inherited"};
    ExactFacts facts;
    facts.securebits.emplace(Unknown{EPERM, "load the program"});
    fill_exact(observed, launched(), facts);
    const auto& why = std::get<Unknown>(observed.securebits).why;
    EXPECT_THAT(why, HasSubstr("not proved inherited"));
    EXPECT_THAT(why, HasSubstr("load the program"));
}

TEST(ExactTest, EqualBytesLoadedTwiceAreNoProofOfDescent) {
    const auto recorded = *value_of(launched().seccomp.content);
    const auto command = carries({kLaunched});
    auto child = command, stranger = command, later = carries({kLaunched});
    stranger.loads = {7};
    EXPECT_TRUE(*value_of(share_a_load(command, child, recorded)));
    EXPECT_FALSE(*value_of(share_a_load(command, stranger, recorded)));
    EXPECT_EQ(value_of(share_a_load(command, later, recorded)), nullptr) << "of another reading";
}

}  // namespace
}  // namespace guard::audit
