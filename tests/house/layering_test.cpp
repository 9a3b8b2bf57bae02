#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

// The arrows of the house, read from the #include lines themselves.
namespace {

namespace fs = std::filesystem;

struct Room {
    std::string name;
    std::set<std::string> may_include;  ///< besides itself
};
const std::vector<Room> kRooms = {
    {"base", {}},
    {"posture", {"base"}},
    {"policies", {"base", "posture"}},
    {"launcher", {"base", "posture"}},
    {"audit", {"base", "posture"}},
    {"report", {"base", "posture"}},
    {"review", {"base", "posture", "policies"}},
    {"cli", {"base", "posture", "policies", "launcher", "audit", "report", "review"}},
};

/// A header that is dear to compile or that ties the house to a library, and where alone it may stand.
struct Library {
    std::string name;
    std::regex header;
    std::string place;     ///< a path that begins so
    std::size_t most = 0;  ///< files; 0 is any number
};
const std::vector<Library> kLibraries = {
    {"toml++", std::regex("<toml(\\+\\+|plusplus)?/.*>|<toml\\.hpp>"), "policies/", 1},
    {"libseccomp", std::regex("<seccomp\\.h>"), "policies/", 1},
    {"libbpf", std::regex("<bpf/.*>"), "base/bpf_", 0},
    {"Boost", std::regex("<boost/.*>"), "cli/", 0},
};

struct Include {
    std::string file;    ///< relative to the tree
    std::string header;  ///< with its quotes or brackets
};

std::vector<Include> includes_of(const fs::path& tree, const fs::path& file) {
    static const std::regex line_of_include(R"re(^\s*#\s*include\s*("[^"]+"|<[^>]+>))re");
    std::vector<Include> found;
    std::ifstream in(file);
    std::smatch match;
    for (std::string line; std::getline(in, line);)
        if (std::regex_search(line, match, line_of_include))
            found.push_back({fs::relative(file, tree).string(), match[1].str()});
    return found;
}

std::vector<Include> includes_below(const fs::path& tree) {
    std::vector<Include> found;
    for (const Room& room : kRooms) {
        if (!fs::exists(tree / room.name)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(tree / room.name)) {
            const auto kind = entry.path().extension();
            if (kind != ".h" && kind != ".cpp") continue;
            const auto more = includes_of(tree, entry.path());
            found.insert(found.end(), more.begin(), more.end());
        }
    }
    return found;
}

std::string first_folder(const std::string& path) { return path.substr(0, path.find('/')); }

/// One line for each edge that points the wrong way.
std::vector<std::string> wrong_edges(const std::vector<Include>& includes) {
    std::map<std::string, std::set<std::string>> allowed;
    for (const Room& room : kRooms) allowed[room.name] = room.may_include;
    std::vector<std::string> wrong;
    for (const Include& include : includes) {
        if (include.header.front() != '"') continue;
        const std::string header = include.header.substr(1, include.header.size() - 2);
        const std::string from = first_folder(include.file), to = first_folder(header);
        if (from != to && !allowed[from].contains(to)) wrong.push_back(include.file + " includes " + header);
    }
    return wrong;
}

std::set<std::string> files_with(const std::vector<Include>& includes, const std::regex& header) {
    std::set<std::string> files;
    for (const Include& include : includes)
        if (std::regex_match(include.header, header)) files.insert(include.file);
    return files;
}

const fs::path kTree = GUARD_SOURCE_DIR;

TEST(LayeringTest, EveryIncludePointsAlongTheArrows) {
    const auto includes = includes_below(kTree);
    ASSERT_GT(includes.size(), 100U) << "read too little below " << kTree;
    for (const std::string& edge : wrong_edges(includes)) ADD_FAILURE() << edge;
}

TEST(LayeringTest, ASiblingIsSeenAsAWrongEdge) {
    EXPECT_EQ(wrong_edges({{"audit/audit.cpp", "\"launcher/state.h\""}}).size(), 1U);
    EXPECT_EQ(wrong_edges({{"base/error.h", "\"posture/known.h\""}}).size(), 1U);
    EXPECT_EQ(wrong_edges({{"base/error.h", "\"error.h\""}}).size(), 1U) << "without its room";
    EXPECT_TRUE(wrong_edges({{"cli/main.cpp", "\"launcher/launch.h\""}}).empty());
}

TEST(LayeringTest, DearHeadersStandInTheirOnePlace) {
    const auto includes = includes_below(kTree);
    for (const Library& library : kLibraries) {
        const auto files = files_with(includes, library.header);
        for (const std::string& file : files) {
            EXPECT_TRUE(file.starts_with(library.place)) << library.name << " is included by " << file;
            EXPECT_TRUE(file.ends_with(".cpp")) << library.name << " is in a header: " << file;
        }
        if (library.most != 0) {
            EXPECT_LE(files.size(), library.most) << library.name << " is in several files";
        }
    }
}

TEST(LayeringTest, OnlyTheCommandLinePrintsOrExits) {
    const std::regex speaks(R"re(\bstd::(cout|cerr|exit)\b|\b(printf|puts)\s*\()re");
    for (const Room& room : kRooms) {
        if (room.name == "cli" || !fs::exists(kTree / room.name)) continue;
        for (const auto& entry : fs::recursive_directory_iterator(kTree / room.name)) {
            if (entry.path().extension() != ".cpp") continue;
            std::ifstream in(entry.path());
            unsigned number = 0;
            for (std::string line; std::getline(in, line);) {
                ++number;
                EXPECT_FALSE(std::regex_search(line.substr(0, line.find("//")), speaks))
                    << entry.path().string() << ':' << number << ": " << line;
            }
        }
    }
}

}  // namespace
