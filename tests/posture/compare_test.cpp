#include "posture/compare.h"

#include <gmock/gmock.h>

#include "posture/fields.h"
#include "posture/limit.h"

namespace guard {
namespace {

using testing::IsEmpty;

template <class Change_>
Posture with(Change_&& change) {
    auto posture = nothing_granted();
    change(posture);
    return posture;
}

struct Drift {
    const char* name;
    void (*loosen)(Posture&);
    const char* field;
    const char* item;
};

// Each row loosens one thing; the same table serves the way back, which must be tighter.
const Drift kDrifts[] = {
    {"NoNewPrivsOff", [](Posture& p) { p.no_new_privs = Lock::open; }, "no-new-privs", ""},
    {"CapabilityInBoundingSet", [](Posture& p) { p.caps.bounding = CapabilitySet{1ULL << CAP_SYS_ADMIN}; },
     "caps.bounding", "CAP_SYS_ADMIN"},
    {"AmbientCapability", [](Posture& p) { p.caps.ambient = CapabilitySet{1ULL << CAP_NET_RAW}; },
     "caps.ambient", "CAP_NET_RAW"},
    {"NoFilter", [](Posture& p) { p.seccomp.mode = Lock::open; }, "seccomp.mode", ""},
    {"FewerFilters", [](Posture& p) { p.seccomp.filters = Floor<unsigned>{0}; }, "seccomp.filters", ""},
    {"HostNetwork", [](Posture& p) { made(p.namespaces)["network"] = {Relation::To::host, ""}; },
     "namespaces", "network"},
    {"MoreMemory", [](Posture& p) { made(p.limits)["memory"].most = 1ULL << 40U; }, "limits", "memory"},
    {"NoPidsLimit", [](Posture& p) { made(p.limits)["pids"].most.reset(); }, "limits", "pids"},
    {"LimitGone", [](Posture& p) { made(p.limits).erase("swap"); }, "limits", "swap"},
    {"WritableRoot", [](Posture& p) { made(p.mounts)["/"].grants.all.insert(MountGrant::write); }, "mounts",
     "/ write"},
    {"OneMountMore", [](Posture& p) { made(p.mounts)["/media"] = {.type = "bind", .source = "/root"}; },
     "mounts", "/media"},
    {"PortPublished", [](Posture& p) { made(p.network.publish).all.insert("any:80:80/tcp"); },
     "network.publish", "any:80:80/tcp"},
    {"SupplementaryGroup", [](Posture& p) { made(p.identity.groups).all.insert(6); }, "identity.groups", "6"},
    {"SecurebitOpen", [](Posture& p) { made(p.securebits)["noroot"] = Lock::open; }, "securebits", "noroot"},
    {"CoreDumps", [](Posture& p) { made(p.rlimits)["core"].most.reset(); }, "rlimits", "core"},
    {"KilledLater", [](Posture& p) { p.oom_score_adj = Floor<int>{-500}; }, "limits.oom-score-adj", ""},
    {"Traced", [](Posture& p) { p.untraced = Lock::open; }, "traced", ""},
    {"NicerThanOthers", [](Posture& p) { p.scheduling.nice = Floor<int>{-5}; }, "scheduling.nice", ""},
    {"DiskBeforeOthers", [](Posture& p) { p.scheduling.disk = Lock::open; }, "scheduling.disk", ""},
    {"OneCallMore", [](Posture& p) { made(p.seccomp.access).calls["bpf"] = {{Cube{}}}; }, "seccomp.access",
     "bpf"},
};

class CompareTest : public testing::TestWithParam<Drift> {};

TEST_P(CompareTest, LooseningIsLooserAndNothingElse) {
    const auto changes = compare(nothing_granted(), with(GetParam().loosen));
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].field, GetParam().field);
    EXPECT_EQ(changes[0].item, GetParam().item);
    EXPECT_EQ(changes[0].shift, Shift::looser);
}

TEST(CompareWordsTest, OfARuleOnlyWhatDiffersIsSaid) {
    Cube file;
    file.mask[0] = 0xffff'ffff;
    file.value[0] = 1;
    Cube inet = file;
    inet.value[0] = 2;
    const auto local = with([&](Posture& p) { made(p.seccomp.access).calls["socket"] = {{file}}; });
    const auto both = with([&](Posture& p) { made(p.seccomp.access).calls["socket"] = {{file, inet}}; });
    const auto changes = compare(local, both);
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].from, "");
    EXPECT_EQ(changes[0].to, "domain is AF_INET");
    EXPECT_EQ(compare(both, local)[0].from, "domain is AF_INET");
}

TEST(CompareWordsTest, AUmaskThatWithholdsMoreIsTighter) {
    const auto with_umask = [](std::uint32_t mask) {
        return with([mask](Posture& p) { p.umask = Exact<std::uint32_t>{mask}; });
    };
    EXPECT_EQ(compare(with_umask(0027), with_umask(0077))[0].shift, Shift::tighter);
    EXPECT_EQ(compare(with_umask(0027), with_umask(0022))[0].shift, Shift::looser);
    EXPECT_EQ(compare(with_umask(0027), with_umask(0072))[0].shift, Shift::incomparable);
}

TEST(CompareWordsTest, APartOfTheSameIdsIsNoNewRight) {
    const auto with_map = [](IdLine line) {
        return with([line](Posture& p) { p.identity.uid_map = Grants<IdLine>{{line}}; });
    };
    const auto whole = with_map({0, false, 0, 4'294'967'295});
    const auto part = with_map({100, false, 100, 50});
    const auto moved = with_map({100, false, 0, 50});
    ASSERT_EQ(compare(whole, part).size(), 1U);
    EXPECT_EQ(compare(whole, part)[0].shift, Shift::tighter);
    EXPECT_EQ(compare(whole, moved).size(), 2U) << "other ids of the host than before";
}

TEST_P(CompareTest, TheWayBackIsNeverLooser) {
    const auto changes = compare(with(GetParam().loosen), nothing_granted());
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].field, GetParam().field);
    EXPECT_TRUE(changes[0].shift == Shift::tighter || changes[0].field == "mounts")
        << "a mount that goes may uncover";
}

INSTANTIATE_TEST_SUITE_P(Drifts, CompareTest, testing::ValuesIn(kDrifts),
                         [](const auto& row) { return row.param.name; });

TEST(CompareTest, EqualPosturesHaveNoChange) {
    EXPECT_THAT(compare(nothing_granted(), nothing_granted()), IsEmpty());
}

TEST(CompareTest, AFieldThatNobodyReadIsUnknownAndNeverOk) {
    const auto fields = nothing_granted();
    each_field(fields, [](std::string_view name, const auto&) {
        auto observed = nothing_granted();
        each_field(observed, [name](std::string_view other, auto& field) {
            if (other == name) field = Unknown{EACCES, "read it"};
        });
        const auto changes = compare(nothing_granted(), observed);
        ASSERT_EQ(changes.size(), 1u) << name;
        EXPECT_EQ(changes[0].shift, Shift::unknown) << name;
        EXPECT_EQ(changes[0].field, name);
    });
}

TEST(CompareTest, AForgottenReaderIsUnknownInEveryField) {
    for (const auto& change : compare(nothing_granted(), Posture{}))
        EXPECT_EQ(change.shift, Shift::unknown) << change.field;
}

TEST(CompareTest, AnotherFilterIsOneLessAndOneMore) {
    const auto changes =
        compare(with([](Posture& p) { made(p.seccomp.content)["3f9c2ab41d02"] = Lock::held; }),
                with([](Posture& p) { made(p.seccomp.content)["8812ab000000"] = Lock::held; }));
    ASSERT_EQ(changes.size(), 2u);
    EXPECT_EQ(changes[0].item, "3f9c2ab41d02");
    EXPECT_EQ(changes[0].shift, Shift::looser);
    EXPECT_EQ(changes[1].item, "8812ab000000");
    EXPECT_EQ(changes[1].shift, Shift::tighter);
}

TEST(CompareTest, OtherUserIsIncomparable) {
    const auto changes =
        compare(nothing_granted(), with([](Posture& p) { p.identity.uid = Exact<std::uint32_t>{0}; }));
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(changes[0].shift, Shift::incomparable);
    EXPECT_EQ(changes[0].from, "999");
    EXPECT_EQ(changes[0].to, "0");
}

TEST(CompareTest, RulesWrittenOtherwiseButOfOneMeaningDoNotDiffer) {
    const Cube zero{.mask = {1}, .value = {0}};
    const Cube one{.mask = {1}, .value = {1}};
    const auto split = with([&](Posture& p) { made(p.seccomp.access).calls["read"] = {{zero, one}}; });
    const auto whole = with([](Posture& p) { made(p.seccomp.access).calls["read"] = {{Cube{}}}; });
    EXPECT_THAT(compare(split, whole), IsEmpty());
    EXPECT_THAT(compare(whole, split), IsEmpty());
}

Mount bind(const std::string& source, std::set<MountGrant> grants = {}) {
    return {.type = "bind", .source = source, .grants = {std::move(grants)}};
}
std::vector<Change> mounts_changed(MountTree from, MountTree to) {
    return compare(with([&from](Posture& p) { made(p.mounts).merge(from); }),
                   with([&to](Posture& p) { made(p.mounts).merge(to); }));
}

TEST(CompareTest, AWritableDirectoryHoldsWhatIsBelowIt) {
    const auto all = bind("/home", {MountGrant::write});
    EXPECT_THAT(mounts_changed({{"/home", all}},
                               {{"/home", all}, {"/home/alice", bind("/home/alice", {MountGrant::write})}}),
                IsEmpty());
    EXPECT_THAT(mounts_changed({{"/home", all}, {"/home/alice", bind("/home/alice", {MountGrant::write})}},
                               {{"/home", all}}),
                IsEmpty());
    const auto tightened =
        mounts_changed({{"/home", all}}, {{"/home", all}, {"/home/alice", bind("/home/alice")}});
    ASSERT_EQ(tightened.size(), 1U);
    EXPECT_EQ(tightened[0].item, "/home/alice write");
    EXPECT_EQ(tightened[0].shift, Shift::tighter);
    const auto loosened =
        mounts_changed({{"/home", all}, {"/home/alice", bind("/home/alice")}}, {{"/home", all}});
    ASSERT_EQ(loosened.size(), 1U);
    EXPECT_EQ(loosened[0].shift, Shift::looser);
}

TEST(CompareTest, OtherFilesBelowAMountAreNews) {
    const auto changes =
        mounts_changed({{"/home", bind("/home")}}, {{"/home", bind("/home")}, {"/home/alice", bind("/etc")}});
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].shift, Shift::looser);
    const auto covered = mounts_changed({{"/home", bind("/home")}, {"/home/alice", {.type = "tmpfs"}}},
                                        {{"/home", bind("/home")}});
    ASSERT_EQ(covered.size(), 1U);
    EXPECT_EQ(covered[0].shift, Shift::incomparable) << "what it hid is seen again";
}

TEST(CompareTest, NoChosenCoreMeansEveryCore) {
    const auto changes = compare(nothing_granted(), with([](Posture& p) { made(p.cpuset).all = {0, 1}; }));
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].shift, Shift::tighter);
    EXPECT_EQ(changes[0].from, "every core");
    EXPECT_EQ(changes[0].to, "0, 1");
}

TEST(CompareTest, ANarrowerRightBesideAWiderOneIsNoNews) {
    const auto any = with([](Posture& p) { made(p.network.publish).all = {"any:80:80/tcp"}; });
    const auto both =
        with([](Posture& p) { made(p.network.publish).all = {"any:80:80/tcp", "lan:80:80/tcp"}; });
    EXPECT_THAT(compare(any, both), IsEmpty());
    EXPECT_THAT(compare(both, any), IsEmpty());
}

TEST(CompareTest, BoundsAreShownWithTheirUnits) {
    const auto changes = compare(nothing_granted(), with([](Posture& p) {
                                     made(p.limits)["memory"].most = 6ULL << 30U;
                                     made(p.limits)["cpus"].most = 1'500'000;
                                     made(p.rlimits)["core"].most = kHostHardLimit;
                                 }));
    ASSERT_EQ(changes.size(), 3u);
    EXPECT_EQ(changes[0].to, "1.5 cores");
    EXPECT_EQ(changes[1].from, "512 MiB");
    EXPECT_EQ(changes[1].to, "6 GiB");
    EXPECT_EQ(changes[2].to, "the host's hard limit");
}

}  // namespace
}  // namespace guard
