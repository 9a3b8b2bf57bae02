#include "audit/process_facts.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <numeric>

#include "base/process.h"
#include "base/sys.h"
#include "tests/support/child.h"
#include "tests/support/private_state.h"
#include "tests/support/temp_dir.h"

// What is skipped because it is the same everywhere must be the same everywhere.
namespace guard {
namespace {

const support::PrivateState kPrivate;

using support::Child;
using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;
using testing::StartsWith;

struct Seen {
    audit::TaskFacts facts;
    std::shared_ptr<const audit::ProcessFacts> process;

    [[nodiscard]] std::vector<std::string> links() const {
        std::vector<std::string> links;
        const auto* const handles = value_of(process->handles);
        if (handles == nullptr) return {"unknown: " + std::get<Unknown>(process->handles).why};
        for (const auto& handle : *handles) links.push_back(handle.link);
        return links;
    }
};

Seen look_at(pid_t pid) {
    static audit::Learned learned;  // shared, as within one scan
    audit::NamespaceTable namespaces;
    audit::SharedFacts shared;
    const auto proc = open_proc().value();
    const auto files = audit::open_task(proc.get(), std::to_string(pid)).value();
    Seen seen{audit::read_facts(files, namespaces).value(), nullptr};
    const auto details = audit::read_details(files, pid, learned);
    audit::read_shared(shared, seen.facts, details, namespaces, files.folder.get());
    seen.process = audit::read_process_facts({files.folder.get(), pid, pid, 0}, details,
                                             shared.trees.at(audit::tree_key(seen.facts, details)), learned);
    return seen;
}

bool own_mounts() {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

TEST(ProcessFactsTest, AStatusOfManyPiecesIsReadToItsEnd) {
    GUARD_SKIP_UNLESS_PRIVATE();
    std::vector<gid_t> groups(5'000);
    std::iota(groups.begin(), groups.end(), 100'000);
    const Child child([&groups] { return ::setgroups(groups.size(), groups.data()) == 0; });
    EXPECT_EQ(look_at(child.pid()).facts.status.groups, groups);
}

TEST(ProcessFactsTest, ANamedPipeFromOutsideIsToldFromOneWithoutAName) {
    GUARD_SKIP_UNLESS_PRIVATE();
    support::TempDir folder;
    const auto become = [&folder] {
        std::array<int, 2> ends{};
        const auto fifo = folder / "fifo";
        return ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, nullptr) == 0 &&
               ::pipe(ends.data()) == 0 && ::mkfifo(fifo.c_str(), 0600) == 0 &&
               ::open(fifo.c_str(), O_RDWR) >= 0 && own_mounts() &&
               ::umount2(folder.path().c_str(), MNT_DETACH) == 0;
    };
    const Child first(become);  // its pipe is the first that is met
    EXPECT_THAT(look_at(first.pid()).links(), Contains(folder / "fifo"));
    ASSERT_EQ(::umount2(folder.path().c_str(), MNT_DETACH), 0);
    const Child second(become);
    const auto links = look_at(second.pid()).links();
    EXPECT_THAT(links, Contains(folder / "fifo"));
    EXPECT_THAT(links, Not(Contains(StartsWith("pipe:"))));
    ASSERT_EQ(::umount2(folder.path().c_str(), MNT_DETACH), 0);
}

TEST(ProcessFactsTest, AHandleOnANamespaceIsToldAlsoWhereAMountOfItsOwnLeadsThere) {
    GUARD_SKIP_UNLESS_PRIVATE();
    support::TempDir folder;
    const auto place = folder.write("uts", "");
    const Child child([&place] {
        return own_mounts() && ::mount("/proc/self/ns/uts", place.c_str(), nullptr, MS_BIND, nullptr) == 0 &&
               ::open(place.c_str(), O_RDONLY) >= 0;
    });
    EXPECT_THAT(look_at(child.pid()).links(), Contains(place));
}

class EnvironmentTest : public testing::TestWithParam<std::size_t> {};

TEST_P(EnvironmentTest, AllNamesAreToldWhateverItsSize) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto filler = "FILLER=" + std::string(GetParam(), 'x');
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const auto pid = ::fork();
    if (pid == 0) {
        std::array<const char*, 3> words{"sleep", "1000", nullptr};
        std::array<const char*, 4> variables{"FIRST=1", filler.c_str(), "LD_PRELOAD=/none.so", nullptr};
        ::execve("/bin/sleep", const_cast<char* const*>(words.data()),
                 const_cast<char* const*>(variables.data()));
        ::_exit(127);
    }
    ::close(ends[1]);
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 0);  // closed by exec
    ::close(ends[0]);
    const auto pidfd = sys::pidfd_open(pid).value();
    const auto seen = look_at(pid);
    ASSERT_TRUE(sys::pidfd_send_signal(pidfd.get(), SIGKILL));
    ::waitpid(pid, nullptr, 0);
    const auto* const names = value_of(seen.process->environment);
    ASSERT_NE(names, nullptr);
    EXPECT_THAT(*names, IsSupersetOf({"FIRST", "FILLER", "LD_PRELOAD"}));
}
INSTANTIATE_TEST_SUITE_P(BelowAndAboveWhatIsReadFromMemory, EnvironmentTest, testing::Values(10, 100'000));

}  // namespace
}  // namespace guard
