// The filter of a shipped profile in a real process: the kernel has the last word on what a filter means.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <functional>
#include <random>
#include <thread>

#include "policies/filter_compile.h"
#include "policies/load.h"
#include "posture/filter/interpreter.h"
#include "tests/support/any_filter.h"

namespace guard {
namespace {

std::vector<sock_filter> program_of(const std::string& profile) {
    const auto loaded = load_profile(profile, {.search_path = {GUARD_SOURCE_DIR "/profiles"}, .sets = {}});
    if (!loaded.profile) return {};
    const auto bytes = policies::compile_filter(*value_of(loaded.profile->posture.seccomp.access));
    return bytes ? filter_program(*bytes).value() : std::vector<sock_filter>{};
}

bool load(const std::vector<sock_filter>& program) {
    const sock_fprog filter{.len = static_cast<unsigned short>(program.size()),
                            .filter = const_cast<sock_filter*>(program.data())};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0;
}

constexpr int kNotLoaded = 250;

/// Runs `inside` in a child under the filter; its status as waitpid(2) gives it.
int status_under(const std::vector<sock_filter>& program, const std::function<int()>& inside) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(load(program) ? inside() : kNotLoaded);
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

/// The errno of a call under the filter; 0 where it succeeds.
template <class... Arguments>
int error_of(const std::vector<sock_filter>& program, long number, Arguments... arguments) {
    const int status = status_under(program, [=] { return ::syscall(number, arguments...) < 0 ? errno : 0; });
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class FilterKernelTest : public testing::Test {
protected:
    void SetUp() override { ASSERT_FALSE(program.empty()) << "profile minecraft has no filter"; }
    std::vector<sock_filter> program = program_of("minecraft");
};

TEST_F(FilterKernelTest, IsTakenByTheKernel) {
    EXPECT_EQ(status_under(program, [] { return 0; }), 0);
}

TEST_F(FilterKernelTest, Clone3AndNumbersThatNobodyKnowsAreNotThere) {
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    EXPECT_EQ(error_of(program, SYS_clone3, &arguments, sizeof arguments), ENOSYS);
    arguments.flags = CLONE_NEWUSER;
    EXPECT_EQ(error_of(program, SYS_clone3, &arguments, sizeof arguments), ENOSYS);
    for (const long number : {400L, 462L, 511L, 5000L})
        EXPECT_EQ(error_of(program, number), ENOSYS) << number;
    EXPECT_EQ(error_of(program, SYS_io_uring_setup, 1, 0), ENOSYS);
}

TEST_F(FilterKernelTest, TheMountApiIsRefusedOldAndNew) {
    EXPECT_EQ(error_of(program, SYS_mount, "none", "/tmp", "tmpfs", 0, 0), EPERM);
    for (const long number : {SYS_umount2, SYS_pivot_root, SYS_open_tree, SYS_move_mount, SYS_fsopen,
                              SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr})
        EXPECT_EQ(error_of(program, number, 0, 0, 0, 0, 0), EPERM) << number;
}

TEST_F(FilterKernelTest, NamespacesAreRefused) {
    EXPECT_EQ(error_of(program, SYS_unshare, CLONE_NEWUSER), EPERM);
    EXPECT_EQ(error_of(program, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM);
    EXPECT_EQ(error_of(program, SYS_clone, 0xffff'ffff'0000'0000UL | CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0),
              EPERM);
}

TEST_F(FilterKernelTest, TypingIntoATerminalIsRefusedWithHighBitsToo) {
    for (const unsigned long request : {0x5412UL, 0x1'0000'5412UL, 0xffff'ffff'0000'5412UL, 0x541cUL})
        EXPECT_EQ(error_of(program, SYS_ioctl, 0, request, "x"), EPERM) << std::hex << request;
    int waiting = 0;
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    EXPECT_EQ(error_of(program, SYS_ioctl, ends[0], 0xffff'ffff'0000'0000UL | FIONREAD, &waiting), 0)
        << "the kernel takes the low 32 bits, and so does the filter";
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(FilterKernelTest, SocketsOfOtherFamiliesAreRefused) {
    EXPECT_EQ(error_of(program, SYS_socket, AF_ALG, SOCK_SEQPACKET, 0), EPERM);
    EXPECT_EQ(error_of(program, SYS_socket, 0x1'0000'0000UL | AF_ALG, SOCK_SEQPACKET, 0), EPERM);
    EXPECT_EQ(error_of(program, SYS_socket, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), 0);
}

#if defined(__x86_64__)
TEST_F(FilterKernelTest, AnI386CallKillsTheProcess) {
    const int status = status_under(program, [] {
        int answer = 20;  // getpid there, and allowed here under another number
        asm volatile("int $0x80" : "+a"(answer) : : "memory");
        return answer == -ENOSYS ? ENOSYS : 0;
    });
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV) GTEST_SKIP() << "this kernel has no i386 calls";
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

TEST_F(FilterKernelTest, AnX32CallKillsTheProcess) {
    constexpr long kX32 = 0x4000'0000;
    EXPECT_EQ(error_of(program, kX32 | SYS_getpid), -SIGSYS);
    EXPECT_EQ(error_of(program, kX32 | 5000), -SIGSYS);
}
#endif

TEST_F(FilterKernelTest, ThreadsProcessesAndProgramsStillStart) {
    EXPECT_EQ(status_under(program,
                           [] {
                               int seen = 0;
                               std::thread([&seen] { seen = 1; }).join();
                               return seen == 1 ? 0 : 1;
                           }),
              0)
        << "pthread_create goes back from clone3 to clone";
    const int status = status_under(program, [] {
        ::execl("/bin/sh", "sh", "-c", "ls / >/dev/null && exit 7", nullptr);
        return 1;
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST_F(FilterKernelTest, WritableAndExecutableMemoryIsForThoseWhoMakeCode) {
    const auto map = [](const std::vector<sock_filter>& filter) {
        return error_of(filter, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    };
    EXPECT_EQ(map(program), 0) << "Java";
    const auto site = program_of(GUARD_SOURCE_DIR "/tests/fixtures/workloads/nginx.toml");
    ASSERT_FALSE(site.empty());
    EXPECT_EQ(map(site), EPERM) << "nginx";
}

// A program made at random, so that its answers can be seen: it judges one number that is no call, every
// answer is an errno, and nothing depends on where the call is made.
constexpr int kProbe = 500;
std::vector<sock_filter> visible_program(unsigned seed) {
    std::mt19937 random(seed);
    std::vector<sock_filter> program = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kProbe, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    for (auto op : support::any_filter(random, 40, support::Arithmetic::all)) {
        if (BPF_CLASS(op.code) == BPF_RET)
            op = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(program.size()));
        const bool address = op.k == offsetof(seccomp_data, instruction_pointer) ||
                             op.k == offsetof(seccomp_data, instruction_pointer) + 4;
        if (op.code == (BPF_LD | BPF_W | BPF_ABS) && address) op.k = offsetof(seccomp_data, args);
        program.push_back(op);
    }
    return program;
}

constexpr std::size_t kCalls = 20;
struct Calls {
    std::array<seccomp_data, kCalls> data;
    std::array<int, kCalls> error;
    std::size_t made;
};

TEST(FilterKernelOracleTest, TheInterpreterAnswersAsTheKernelDoes) {
    auto* const calls = static_cast<Calls*>(
        ::mmap(nullptr, sizeof(Calls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(static_cast<void*>(calls), MAP_FAILED);
    for (unsigned seed = 0; seed < 100; ++seed) {
        const auto program = visible_program(seed);
        std::mt19937 random(seed);
        for (auto& data : calls->data) {
            data = support::any_input(random, program);
            data.nr = kProbe;
            data.arch = AUDIT_ARCH_X86_64;
        }
        calls->made = 0;
        const int status = status_under(program, [calls] {
            for (; calls->made < kCalls; ++calls->made) {
                const auto& a = calls->data.at(calls->made).args;
                ::syscall(kProbe, a[0], a[1], a[2], a[3], a[4], a[5]);
                calls->error.at(calls->made) = errno;
            }
            return 0;
        });
        for (std::size_t i = 0; i < calls->made; ++i)
            ASSERT_EQ(run_filter(program, calls->data.at(i)).value(),
                      SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(calls->error.at(i)))
                << "seed " << seed;
        if (calls->made == kCalls) continue;
        ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
            << "seed " << seed << " status " << status;
        ASSERT_EQ(run_filter(program, calls->data.at(calls->made)).value(), SECCOMP_RET_KILL_THREAD);
    }
    ::munmap(calls, sizeof(Calls));
}

}  // namespace
}  // namespace guard
