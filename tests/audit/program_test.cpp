#include "audit/program.h"

#include <gmock/gmock.h>

#include "audit/process_facts.h"

namespace guard::audit {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A process that runs a program as any other; each test changes one thing.
struct Running {
    ProgramFile file{.path = "/usr/bin/nginx"};
    MemoryMaps maps;
    std::set<std::string> names{"LANG"};
    std::string comm = "nginx";
    TreeFacts tree;

    Running() {
        tree.mounts = *parse_mountinfo(
            "1 0 0:1 / / ro - tmpfs t rw\n"
            "2 1 0:2 / /usr ro - ext4 d rw\n"
            "3 1 0:3 / /var/cache/java rw - tmpfs t rw\n");
    }

    [[nodiscard]] Program seen() const {
        auto facts = std::make_shared<ProcessFacts>();
        facts->program = file;
        facts->maps = maps;
        facts->environment = names;
        SeenTask task;
        task.pid = task.tid = 7;
        task.facts.status.name = comm;
        task.details.process = facts;
        const Record record;
        Frame frame;
        frame.record = &record;
        return program_of(task, frame, tree, nothing_granted());
    }
};

std::set<std::string> words(const Known<Grants<std::string>>& known) { return value_of(known)->all; }

TEST(ProgramTest, AnOrdinaryProgramHasNoWords) {
    const auto program = Running().seen();
    for (const auto* field :
         {&program.hidden, &program.replaced, &program.place, &program.name, &program.loader})
        EXPECT_THAT(words(*field), IsEmpty());
    EXPECT_EQ(*value_of(program.write_exec), Lock::held);
}

TEST(ProgramTest, AnotherProgramsNameIsADisguiseAndAnInterpretersIsNot) {
    Running running;
    running.comm = "sshd";
    EXPECT_THAT(words(running.seen().name), ElementsAre("nginx calls itself sshd"));
    running.file.path = "/usr/bin/python3.11";
    EXPECT_THAT(words(running.seen().name), IsEmpty());
}

TEST(ProgramTest, ALongNameIsCutByTheKernelAndNoDisguise) {
    Running running;
    running.file.path = "/usr/lib/postgresql/15/bin/pg_receivewal_long";
    running.comm = "pg_receivewal_l";
    EXPECT_THAT(words(running.seen().name), IsEmpty());
}

TEST(ProgramTest, ALibraryIsReplacedOnlyWhereTheContainerCouldNotHaveDoneIt) {
    Running running;
    running.maps.deleted = {"/usr/lib/libssl.so", "/var/cache/java/libnetty.so"};
    EXPECT_THAT(words(running.seen().replaced), ElementsAre("library /usr/lib/libssl.so"));
}

TEST(ProgramTest, AProgramThatIsGoneIsHiddenUnlessAnotherHasItsPath) {
    Running running;
    running.file.gone = true;
    running.maps.deleted = {"/usr/bin/nginx"};
    EXPECT_THAT(words(running.seen().hidden), ElementsAre("/usr/bin/nginx, which is gone"));
    running.file.has_successor = true;
    EXPECT_THAT(words(running.seen().hidden), IsEmpty());
    EXPECT_THAT(words(running.seen().replaced), ElementsAre("program /usr/bin/nginx"));
}

TEST(ProgramTest, OnlyVariablesThatBringCodeInAreNamed) {
    Running running;
    running.names = {"HOME", "LD_PRELOAD", "PASSWORD"};
    EXPECT_THAT(words(running.seen().loader), ElementsAre("LD_PRELOAD"));
}

}  // namespace
}  // namespace guard::audit
