#include "report/checked.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace guard::report {
namespace {

using testing::HasSubstr;
using testing::Not;

Finding risk(std::string unit, std::string_view check, std::string item, Where where) {
    auto finding = raise(check, {.unit = std::move(unit)}, "", "held", std::move(where));
    finding.item = std::move(item);
    return finding;
}

Findings some() {
    Findings findings{.command = "check", .units = "profile"};
    findings.findings = {risk("web", "caps.sys-admin", "CAP_SYS_ADMIN", {"web.toml", 3, 10}),
                         risk("web", "caps.minor", "CAP_KILL", {"web.toml", 3, 27})};
    findings.findings.back().needed_by = "whoever stops others";
    return findings;
}

Findings none() { return {.command = "check", .units = "profile"}; }

TEST(CheckedTest, ABrokenProfileEndsWithItsCountOfErrors) {
    const Checked checked{
        "minecraft.toml", "minecraft.toml", {{Level::error, "one", {}}, {Level::error, "two", {}}}};
    EXPECT_EQ(checked_text({&checked, 1}, none(), {}),
              "error: one\nerror: two\nminecraft.toml: 2 errors, nothing was compiled\n");
}

TEST(CheckedTest, ACleanProfileIsOneLineThatSaysWhatWasDone) {
    const Checked checked{"minecraft", "minecraft", {}, 5, 120, 214};
    EXPECT_EQ(checked_text({&checked, 1}, none(), {}),
              "minecraft: no findings; 5 files, 120 system calls, 214 instructions\n");
}

TEST(CheckedTest, AFindingShowsItsPlaceAndLowerOnesAreCounted) {
    const Checked checked{"web", "web", {}, 1, 120, 214};
    EXPECT_EQ(
        checked_text({&checked, 1}, some(), {}),
        "critical  web  holds CAP_SYS_ADMIN, most of what root can do                          "
        "caps.sys-admin\n"
        "          found     CAP_SYS_ADMIN                                                      "
        "web.toml:3:10\n"
        "          why       mounts, namespaces and a long list of old and new kernel doors open to it: "
        "most\n"
        "                    escapes from containers need it\n"
        "          do        take it out of [capabilities] allow\n"
        "web: 1 finding: 1 critical, 1 below medium; 1 file, 120 system calls, 214 instructions\n");
}

TEST(CheckedTest, EverythingCanBeShown) {
    auto findings = some();
    findings.findings.front().waiver = Waiver{"caps.sys-admin", "", "mounts disks", "alice", {}, {}};
    const Checked checked{"web", "web", {}, 1, 120, 214};
    const auto text = checked_text({&checked, 1}, findings, {.least = Severity::info, .waived = true});
    EXPECT_THAT(text, HasSubstr("low       web"));
    EXPECT_THAT(text, HasSubstr("needed by whoever stops others\n"));
    EXPECT_THAT(text, HasSubstr("waived    CAP_SYS_ADMIN, by alice: mounts disks\n"));
    EXPECT_THAT(text, HasSubstr("web: 1 finding: 1 low, 1 waived;"));
}

TEST(CheckedTest, SeveralPlacesStandOneBelowTheOtherWithWhatIsThere) {
    auto findings = some();
    findings.findings.resize(1);
    findings.findings.front().places = {{{"/etc/guard/web.toml", 3, 10}, "this"},
                                        {{"base.toml", 4, 1}, "and this"}};
    const Checked checked{"web", "web", {}, 1, 120, 214};
    EXPECT_THAT(checked_text({&checked, 1}, findings, {}),
                HasSubstr("          at        web.toml:3:10  this\n"
                          "                    base.toml:4:1  and this\n"));
}

TEST(CheckedTest, SeveralProfilesEndWithTheSum) {
    const std::vector<Checked> all{{"web", "web", {}, 1, 120, 214},
                                   {"x.toml", "x.toml", {{Level::error, "one", {}}}}};
    const auto text = checked_text(all, some(), {});
    EXPECT_TRUE(text.ends_with("\n2 profiles: 1 error, 1 finding: 1 critical, 1 below medium\n")) << text;
}

TEST(CheckedTest, JsonHoldsEveryFindingAndNoFindingTwice) {
    const Checked checked{"web", "web", {{Level::warning, "slip", {}, "profile.idle-key", "network.dns"}},
                          1,     120,   214};
    const auto json = nlohmann::json::parse(checked_json({&checked, 1}, some()));
    EXPECT_EQ(json["command"], "check");
    EXPECT_EQ(json["findings"].size(), 2U);
    EXPECT_EQ(json["findings"][1]["needed-by"], "whoever stops others");
    EXPECT_EQ(json["profiles"][0]["ok"], true);
    EXPECT_TRUE(json["profiles"][0]["diagnostics"].empty());
}

}  // namespace
}  // namespace guard::report
