#include "policies/filter_cache.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include "base/digest.h"
#include "policies/filter_compile.h"
#include "tests/support/temp_dir.h"

namespace guard::policies {
namespace {

namespace fs = std::filesystem;

FilterRules small_rules() {
    FilterRules rules;
    for (const auto* call : {"read", "write", "exit_group"}) rules.calls[call] = {{Cube{}}};
    rules.calls["socket"] = {{{{0xffff'ffff}, {2}}}};
    return rules;
}

class FilterCacheTest : public testing::Test {
protected:
    FilterCacheTest() : compiled(compile_filter(rules).value()) {}
    [[nodiscard]] std::string cached() const { return cached_filter(rules, directory).value(); }
    // What nobody would compile, filed as if it were what the rules mean: who gets it has not compiled.
    void plant(const std::string& program) const {
        write("guard kept 1\n" + cache_key(rules) + "\n" + digest_of(program) + "\n" + program);
    }
    void write(const std::string& bytes) const { std::ofstream(file(), std::ios::binary) << bytes; }
    [[nodiscard]] std::string file() const { return directory + "/" + cache_key(rules); }

    support::TempDir temp;
    std::string directory = temp / "cache/filters";
    FilterRules rules = small_rules();
    std::string compiled;
    std::string planted = "anything";
};

TEST_F(FilterCacheTest, ASecondTimeNothingIsCompiled) {
    EXPECT_EQ(cached(), compiled);
    ASSERT_TRUE(fs::exists(file()));
    EXPECT_EQ(cached(), compiled);
    plant(planted);
    EXPECT_EQ(cached(), planted);
}

TEST_F(FilterCacheTest, OtherRulesAreFiledElsewhere) {
    const auto key = cache_key(rules);
    auto other = rules;
    other.calls["socket"].when[0].value[0] = 1;
    EXPECT_NE(cache_key(other), key);
    other = rules;
    other.on_unknown = Denial::kill;
    EXPECT_NE(cache_key(other), key);
    other = rules;
    other.absent.insert("clone3");
    EXPECT_NE(cache_key(other), key);
    other = rules;
    other.abis.insert("i386");
    EXPECT_NE(cache_key(other), key);
    other = rules;
    other.log_denied = true;
    EXPECT_EQ(cache_key(other), key) << "it is no part of the program";
}

TEST_F(FilterCacheTest, AProgramOfOtherRulesIsNotTaken) {
    (void)cached();
    auto other = rules;
    other.calls["mount"] = {{Cube{}}};
    (void)cached_filter(other, directory).value();
    fs::copy_file(directory + "/" + cache_key(other), file(), fs::copy_options::overwrite_existing);
    EXPECT_EQ(cached(), compiled);
}

TEST_F(FilterCacheTest, ADirectoryThatCannotBeUsedIsNoReasonToFail) {
    (void)cached();
    plant(planted);
    ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
    EXPECT_EQ(cached(), compiled) << "others may have written it";
    directory = temp.write("file", "") + "/filters";
    EXPECT_EQ(cached(), compiled);
}

TEST_F(FilterCacheTest, ManyAtOnceAllGetTheFilter) {
    std::vector<std::string> found(8);
    std::vector<std::thread> threads;
    for (auto& one : found) threads.emplace_back([this, &one] { one = cached(); });
    for (auto& thread : threads) thread.join();
    for (const auto& one : found) EXPECT_EQ(one, compiled);
    EXPECT_EQ(std::distance(fs::directory_iterator(directory), {}), 1) << "nothing is left lying about";
}

TEST_F(FilterCacheTest, RulesThatCannotBeCompiledAreNotRemembered) {
    rules.calls["opennat"] = {{Cube{}}};
    EXPECT_FALSE(cached_filter(rules, directory));
    EXPECT_FALSE(fs::exists(file()));
}

}  // namespace
}  // namespace guard::policies
