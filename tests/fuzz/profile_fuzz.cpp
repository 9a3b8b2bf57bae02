// Feeds mutations of the fixtures to the reader of profiles: it may refuse them, but must not crash, hang or
// run out of its memory. The same seed makes the same files, so that a failure can be repeated.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "policies/load.h"
#include "tests/support/temp_dir.h"

namespace guard {
namespace {

using Texts = std::vector<std::string>;

Texts read_files(const std::string& folder) {
    Texts texts;
    for (const auto& entry : std::filesystem::directory_iterator(GUARD_SOURCE_DIR "/" + folder)) {
        if (entry.path().extension() != ".toml") continue;
        std::stringstream text;
        text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
        texts.push_back(text.str());
    }
    return texts;
}

// As many good files as broken ones: from a broken one, few mutations lead back past the parser.
Texts read_seeds() {
    auto seeds = read_files("tests/fixtures/broken");
    auto good = read_files("profiles");
    std::ranges::copy(read_files("tests/fixtures/language"), std::back_inserter(good));
    for (std::size_t at = 0, broken = seeds.size(); at < broken; ++at)
        seeds.push_back(good[at % good.size()]);
    return seeds;
}

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t end) { return end == 0 ? 0 : random() % end; }

// One change: a byte turned over, a piece dropped, doubled, or a word of the grammar put in.
void mutate(std::string& text, const Texts& seeds, Random& random) {
    static const std::vector<std::string> kWords{"[",
                                                 "]",
                                                 "{",
                                                 "}",
                                                 "\"",
                                                 "'''",
                                                 "\"\"\"",
                                                 "=",
                                                 ".",
                                                 "\\u",
                                                 "\n",
                                                 "[[a]]",
                                                 "1e9",
                                                 "0x",
                                                 "inf",
                                                 "\xff",
                                                 "\\",
                                                 "#",
                                                 "2027-06-30",
                                                 "99999999999999999999",
                                                 std::string(1, '\0')};
    const auto at = below(random, text.size());
    switch (random() % 5) {
        case 0:
            if (!text.empty()) text[at] = static_cast<char>(random());
            break;
        case 1: text.erase(at, below(random, 40)); break;
        case 2: text.insert(at, text.substr(at, below(random, 60))); break;
        case 3: text.insert(at, kWords[below(random, kWords.size())]); break;
        default: {
            const auto& other = seeds[below(random, seeds.size())];
            text.insert(at, other.substr(below(random, other.size()), below(random, 200)));
        }
    }
}

int from_environment(const char* name, int otherwise) {
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::atoi(text);
}

// GUARD_FUZZ_ROUNDS and GUARD_FUZZ_SEED make a long run of it, and one that failed again.
TEST(ProfileFuzzTest, AnyFileIsReadOrRefusedWithAReason) {
    const int rounds = from_environment("GUARD_FUZZ_ROUNDS", 2000);
    Random random(static_cast<unsigned>(from_environment("GUARD_FUZZ_SEED", 1)));
    const support::TempDir folder;
    const auto path = folder.path() + "/fuzz.toml";
    const auto seeds = read_seeds();
    ASSERT_FALSE(seeds.empty());
    const LoadOptions options{
        {GUARD_SOURCE_DIR "/tests/fixtures/language", GUARD_SOURCE_DIR "/profiles"}, {}, {}};
    int accepted = 0;
    for (int round = 0; round < rounds; ++round) {
        auto text = seeds[below(random, seeds.size())];
        for (auto changes = 1 + below(random, 6); changes > 0; --changes) mutate(text, seeds, random);
        std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
        const auto loaded = load_profile(path, options);
        if (loaded.profile) ++accepted;
        ASSERT_TRUE(loaded.profile || !loaded.diagnostics.empty())
            << "refused without a reason in round " << round << ":\n"
            << text;
    }
    // Mutations that are always refused would never get past the parser.
    EXPECT_GT(accepted, rounds / 100);
}

}  // namespace
}  // namespace guard
