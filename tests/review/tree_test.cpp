#include "review/tree.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/review/repository.h"

namespace guard::review {
namespace {

using support::TempDir;
using support::TestRepository;
using testing::Contains;
using testing::Key;

// The same files on disk and in a commit: both trees must tell the same.
class TreeTest : public testing::TestWithParam<bool> {
protected:
    TreeTest() {
        repository.write("profiles/a.toml", "one\r\ntwo\n");
        repository.write("profiles/with space\nand line.toml", "odd");
        repository.write("deep/er/b.toml", "b");
        link("a.toml", "profiles/to-a.toml");
        link("../deep", "profiles/to-deep");
        link("../../outside", "profiles/out");
        link("/etc/passwd", "profiles/passwd.toml");
        link("round", "profiles/round");
        const auto id = repository.commit();
        git.emplace(*Git::open(repository.path()));
        tree = GetParam() ? tree_of(*git, id) : *tree_of(repository.path());
    }
    void link(const std::string& target, const std::string& name) const {
        ASSERT_EQ(::symlink(target.c_str(), (repository.path() + "/" + name).c_str()), 0);
    }

    TestRepository repository;
    std::optional<Git> git;
    std::unique_ptr<Tree> tree;
};

TEST_P(TreeTest, FilesAreReadAsTheyAre) {
    EXPECT_EQ(tree->bytes("profiles/a.toml", 100), "one\r\ntwo\n");
    EXPECT_EQ(tree->bytes("profiles/with space\nand line.toml", 100), "odd");
    EXPECT_EQ(tree->kind("profiles"), NodeKind::directory);
    EXPECT_EQ(tree->kind("profiles/to-a.toml"), NodeKind::link);
    EXPECT_EQ(tree->kind("profiles/nosuch"), std::nullopt);
    EXPECT_THAT(tree->list("profiles"), Contains(Key("with space\nand line.toml")));
}

TEST_P(TreeTest, LinksAreFollowedInsideAndNeverOut) {
    EXPECT_EQ(resolved(*tree, "profiles/to-a.toml"), "profiles/a.toml");
    EXPECT_EQ(resolved(*tree, "profiles/to-deep/er/../er/b.toml"), "deep/er/b.toml");
    EXPECT_EQ(resolved(*tree, "./profiles//a.toml"), "profiles/a.toml");
    for (const auto* path : {"profiles/out", "profiles/passwd.toml", "profiles/round", "/etc/passwd", "../x",
                             "profiles/../../x"})
        EXPECT_EQ(resolved(*tree, path), std::nullopt) << path;
}

TEST_P(TreeTest, AFileThatIsTooLargeIsAnErrorAndTheNextOneIsStillRead) {
    EXPECT_FALSE(tree->bytes("profiles/a.toml", 3).has_value());
    EXPECT_EQ(tree->bytes("deep/er/b.toml", 3), "b");
}

INSTANTIATE_TEST_SUITE_P(Of, TreeTest, testing::Bool(),
                         [](const auto& row) { return row.param ? "ACommit" : "ADirectory"; });

TEST(GitTest, ARevisionThatIsNoneIsNone) {
    const TestRepository repository;
    const auto id = repository.commit();
    auto git = Git::open(repository.path());
    ASSERT_TRUE(git.has_value()) << describe(git.error());
    EXPECT_EQ(*git->commit("HEAD"), id);
    EXPECT_EQ(*git->commit("nosuch"), std::nullopt);
    EXPECT_EQ(*git->commit("HEAD\nHEAD"), std::nullopt);
    EXPECT_EQ(*git->commit("--help"), std::nullopt);
    EXPECT_EQ(*git->commit(""), std::nullopt);
    EXPECT_EQ(*git->commit("HEAD"), id) << "in step after the refusals";
}

TEST(GitTest, AFolderThatIsNoRepositorySaysSo) {
    const TempDir folder;
    const auto git = Git::open(folder.path());
    ASSERT_FALSE(git.has_value());
    EXPECT_THAT(describe(git.error()), testing::HasSubstr("there is none"));
}

// What a hostile repository could make git run when its files are looked at.
TEST(GitTest, NothingThatTheRepositoryConfiguresIsRun) {
    const TestRepository repository;
    repository.write("a.toml", "guard = 1\n");
    repository.write(".gitattributes", "*.toml filter=evil diff=evil\n");
    const auto mark = repository.path() + "/.git/was-run";
    const auto id = repository.commit();
    for (const auto* key : {"core.fsmonitor", "core.pager", "core.sshCommand", "filter.evil.smudge",
                            "diff.evil.textconv", "diff.external", "core.editor"})
        repository.git({"config", key, "touch " + mark});
    repository.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch " + mark + "\n");
    auto git = Git::open(repository.path());
    ASSERT_TRUE(git.has_value()) << describe(git.error());
    const auto index_before = support::text_of(repository.path() + "/.git/index");
    EXPECT_EQ(tree_of(*git, id)->bytes("a.toml", 100), "guard = 1\n");
    EXPECT_EQ(git->merge_base(id, id), id);
    EXPECT_NE(::access(mark.c_str(), F_OK), 0) << "something was run";
    EXPECT_EQ(support::text_of(repository.path() + "/.git/index"), index_before);
}

}  // namespace
}  // namespace guard::review
