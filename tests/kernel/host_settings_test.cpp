#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "base/sys.h"
#include "tests/support/container.h"
#include "tests/support/drift.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// Settings of a machine that matter to a container of the minecraft profile for what it has besides. In a
// guest, which nobody else uses, the setting itself is changed; elsewhere a file in its place is read like
// it.
namespace guard {
namespace {

using ::testing::HasSubstr;

const support::PrivateState kPrivate;

struct Setting {
    const char* name;
    const char* profile;  ///< what makes it matter
    const char *file, *open, *closed;
    const char* finding;
};
void PrintTo(const Setting& setting, std::ostream* out) { *out << setting.name; }

class HostSettingsTest : public testing::TestWithParam<Setting> {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        if (const auto why = support::Container::none_here()) GTEST_SKIP() << *why;
        container_ = std::make_unique<support::Container>(
            "host", support::write_drift_profile(folder_, GetParam().profile));
        ASSERT_EQ(container_->launched().status, 0) << container_->launched().err;
        support::await_drifter("/var/lib/guard/host/drift.sock");
    }
    void TearDown() override {
        if (!covered_.empty()) container_->shell("umount " + covered_);
    }
    void set(const std::string& text) {
        if (std::getenv("GUARD_TEST_GUEST") != nullptr)
            return container_->shell("echo '" + text + "' >" + GetParam().file);
        const auto over = folder_.write("setting", text + "\n");
        if (covered_.empty()) container_->shell("mount --bind " + over + " " + GetParam().file);
        covered_ = GetParam().file;
    }
    [[nodiscard]] std::string told() const { return container_->told(); }

    support::TempDir folder_;
    std::unique_ptr<support::Container> container_;
    std::string covered_;
};

TEST_P(HostSettingsTest, Row53_IsToldWhileItIsOpen) {
    if (::access(GetParam().file, F_OK) != 0) {
        EXPECT_THAT(told(), HasSubstr(GetParam().finding)) << "a kernel that can't forbid it";
        return;
    }
    set(GetParam().closed);
    EXPECT_EQ(told(), "");
    set(GetParam().open);
    EXPECT_THAT(told(), HasSubstr(GetParam().finding));
    set(GetParam().closed);
    EXPECT_EQ(told(), "");
}

constexpr Setting kSettings[] = {
    {"CoreDumps", "rlimits = { core = \"max\" }\n", "/proc/sys/kernel/core_pattern", "|/usr/lib/handler %p",
     "core", "host.core-dumps  found '/proc/sys/kernel/core_pattern is |/usr/lib/handler %p'"},
    {"Bpf", "[seccomp]\nallow = [\"bpf\"]\n", "/proc/sys/kernel/unprivileged_bpf_disabled", "0", "2",
     "host.bpf  found '/proc/sys/kernel/unprivileged_bpf_disabled is 0'"},
    {"Ptrace", "[seccomp]\nallow = [\"ptrace\"]\n", "/proc/sys/kernel/yama/ptrace_scope", "0", "1",
     "host.ptrace  found '/proc/sys/kernel/yama/ptrace_scope is "},
};
INSTANTIATE_TEST_SUITE_P(Each, HostSettingsTest, testing::ValuesIn(kSettings),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace guard
