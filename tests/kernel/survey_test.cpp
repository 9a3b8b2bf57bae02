#include "audit/survey.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "audit/network_facts.h"
#include "base/sys.h"
#include "tests/support/child.h"
#include "tests/support/private_state.h"
#include "tests/support/run_program.h"
#include "tests/support/temp_dir.h"

// What other tools overlook: a thread behind a clean leader, root of a namespace of its own, namespaces that
// nobody is in.
namespace guard {
namespace {

const support::PrivateState kPrivate;

using support::Child;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

// Only the calling thread: libc's wrapper would change all of them. setresuid(2)
void drop_rights_of_this_thread(unsigned id) {
    ::syscall(SYS_setresgid, id, id, id);
    ::syscall(SYS_setresuid, id, id, id);
}

Survey survey() {
    auto result = audit::survey_machine();
    EXPECT_TRUE(result) << describe(result.error());
    return result ? *std::move(result) : Survey{};
}

const SurveyedProcess* find(const Survey& survey, pid_t pid) {
    const auto found =
        std::ranges::find(survey.processes, pid, [](const SurveyedProcess& one) { return one.subject.pid; });
    return found == survey.processes.end() ? nullptr : &*found;
}

TEST(SurveyTest, ACleanLeaderDoesNotHideAThread) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Child child([] {
        std::thread([] { ::pause(); }).detach();
        drop_rights_of_this_thread(65'534);
        return true;
    });
    const auto seen = survey();
    const auto* process = find(seen, child.pid());
    ASSERT_NE(process, nullptr);
    EXPECT_EQ(process->power, Power::machine);
    EXPECT_THAT(process->why, StartsWith("one thread "));
    EXPECT_NE(process->subject.tid, child.pid());
}

TEST(SurveyTest, AProcessWithoutRightsReachesLittle) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Child child([] {
        drop_rights_of_this_thread(65'534);
        return true;
    });
    const auto seen = survey();
    const auto* process = find(seen, child.pid());
    ASSERT_NE(process, nullptr);
    EXPECT_EQ(process->power, Power::little) << process->why;
    EXPECT_THAT(process->unread, testing::IsEmpty());
}

TEST(SurveyTest, RootOfAUserNamespaceOfItsOwnIsNotRoot) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const Child child([] {
        drop_rights_of_this_thread(65'534);
        return ::unshare(CLONE_NEWUSER) == 0;  // all rights, over its own namespaces
    });
    const auto seen = survey();
    const auto* process = find(seen, child.pid());
    ASSERT_NE(process, nullptr);
    EXPECT_FALSE(process->machines_users);
    EXPECT_EQ(process->power, Power::little) << process->why;
}

TEST(SurveyTest, WhereAProcessListensIsTold) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(8123);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(socket, 1), 0);
    const auto seen = survey();
    const auto* process = find(seen, ::getpid());
    ASSERT_NE(process, nullptr);
    EXPECT_THAT(process->listens, Contains("localhost:8123/tcp"));
    ::close(socket);
}

TEST(SurveyTest, TheKernelsAnswerAndItsFilesNameTheSameTcpListeners) {
    GUARD_SKIP_UNLESS_PRIVATE();
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(8124);
    address.sin6_addr = in6addr_loopback;
    const UniqueFd socket(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ASSERT_EQ(::listen(socket.get(), 1), 0);
    const UniqueFd self(::open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const UniqueFd network(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    const auto inode = sys::fstat(socket.get())->st_ino;
    const auto one_of = [inode](int folder, int netns) {
        const auto all = audit::read_tcp_listeners(folder, netns).value();
        const auto found = std::ranges::find(all, inode, &ListeningSocket::inode);
        return found == all.end() ? ListeningSocket{} : *found;
    };
    EXPECT_EQ(one_of(self.get(), -1).port, 8124);
    EXPECT_EQ(one_of(-1, network.get()), one_of(self.get(), -1)) << "asked without any file to fall back on";
}

const SurveyedNamespace* kept_by(const Survey& survey, const std::string& handle) {
    for (const auto& one : survey.namespaces)
        if (one.type == "network" && one.tasks == 0)
            for (const auto& by : one.handles)
                if (by.find(handle) != std::string::npos) return &one;
    return nullptr;
}

TEST(SurveyTest, ANamespaceThatOnlyADescriptorKeepsIsFound) {
    GUARD_SKIP_UNLESS_PRIVATE();
    int held = -1;
    {
        const Child child([] { return ::unshare(CLONE_NEWNET) == 0; });
        held = ::open(("/proc/" + std::to_string(child.pid()) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC);
    }
    ASSERT_GE(held, 0);
    EXPECT_NE(kept_by(survey(), "a descriptor of "), nullptr);
    ::close(held);
    EXPECT_EQ(kept_by(survey(), "a descriptor of "), nullptr);
}

TEST(SurveyTest, ANamespaceThatOnlyAMountKeepsIsFound) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const support::TempDir folder;
    const auto place = folder.write("net", "");
    ASSERT_EQ(support::run_program({"unshare", "--net=" + place, "true"}).status, 0);
    EXPECT_NE(kept_by(survey(), "a mount at " + place), nullptr);
    ASSERT_EQ(support::run_program({"umount", place}).status, 0);
    EXPECT_EQ(kept_by(survey(), "a mount at " + place), nullptr);
}

TEST(SurveyTest, WhatAnOrdinaryUserCannotReadIsSaid) {
    GUARD_SKIP_UNLESS_PRIVATE();
    const auto honest = [] {
        if (::setresgid(65'534, 65'534, 65'534) != 0 || ::setresuid(65'534, 65'534, 65'534) != 0) return 1;
        const auto seen = audit::survey_machine();
        if (!seen || seen->processes.empty() || seen->seen == seen->all) return 2;
        const auto& first = seen->processes.front();
        return first.power == Power::machine && !first.unread.empty() ? 0 : 3;
    };
    EXPECT_EQ(support::status_of_child(honest), 0);
}

}  // namespace
}  // namespace guard
