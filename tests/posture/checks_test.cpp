#include "posture/checks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>

#include "posture/fields.h"

namespace guard {
namespace {

std::string page() {
    std::ostringstream text;
    text << std::ifstream(std::string(GUARD_SOURCE_DIR) + "/docs/audit.md").rdbuf();
    return text.str();
}

TEST(ChecksPageTest, EveryDriftHasItsRow) {
    for (int number = 1; number <= 54; ++number)
        EXPECT_NE(page().find("\n| " + std::to_string(number) + " | "), std::string::npos) << number;
}

TEST(ChecksPageTest, EveryNameInItIsACheck) {
    const auto text = page();
    std::set<std::string> names;
    for (const auto& check : checks()) names.emplace(check.id);
    const auto table = text.substr(text.find("| 1 |"));
    for (std::size_t at = 0; (at = table.find('`', at)) != std::string::npos;) {
        const auto end = table.find('`', at + 1);
        const auto name = table.substr(at + 1, end - at - 1);
        at = end + 1;
        if (name.starts_with("--")) continue;  // an option
        EXPECT_TRUE(names.contains(name)) << name;
    }
}

TEST(ChecksPageTest, EveryFieldOfAPostureIsInIt) {
    const auto text = page();
    const Posture posture;
    each_field(posture, [&text](std::string_view name, const auto&) {
        EXPECT_NE(text.find("`" + std::string(name) + "`"), std::string::npos) << name;
    });
}

}  // namespace
}  // namespace guard
