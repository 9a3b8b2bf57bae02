#include "base/task_iterator.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/proc_stat.h"
#include "base/proc_status.h"
#include "base/ptrace_filters.h"
#include "base/split.h"
#include "base/sys.h"
#include "tests/support/child.h"
#include "tests/support/kernel_walk.h"
#include "tests/support/private_state.h"

// What the kernel says of a thread by its own walk, against what the thread is known to be and what /proc
// says.
namespace guard {
namespace {

const support::PrivateState kPrivate;

using support::Child;

constexpr std::uint64_t bit(unsigned capability) { return std::uint64_t{1} << capability; }

/// A filter that allows everything: `length` instructions, of which no two of another `mark` are alike.
std::vector<sock_filter> filter_of(std::uint32_t mark, std::size_t length = 2) {
    std::vector<sock_filter> program(length, BPF_STMT(BPF_LD | BPF_IMM, mark));
    program.back() = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    return program;
}

std::string bytes_of(const std::vector<sock_filter>& program) {
    return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof program[0]};
}

bool add_filter(const std::vector<sock_filter>& program) {
    const sock_fprog filter{static_cast<unsigned short>(program.size()),
                            const_cast<sock_filter*>(program.data())};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

bool add_landlock_layer() {
    landlock_ruleset_attr handled{};
    handled.handled_access_fs = LANDLOCK_ACCESS_FS_MAKE_BLOCK;
    const auto fd = static_cast<int>(
        ::syscall(SYS_landlock_create_ruleset, &handled, sizeof handled.handled_access_fs, 0));
    const UniqueFd ruleset(fd);
    return fd >= 0 && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}

/// This thread's capabilities alone: a process can have one thread that holds more than the others.
bool set_capabilities(std::uint64_t permitted, std::uint64_t effective, std::uint64_t inheritable) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2]{};
    for (unsigned half = 0; half < 2; ++half)
        data[half] = {static_cast<__u32>(effective >> (32 * half)),
                      static_cast<__u32>(permitted >> (32 * half)),
                      static_cast<__u32>(inheritable >> (32 * half))};
    return ::syscall(SYS_capset, &header, data) == 0;
}

/// An ordinary user with these capabilities and no other.
bool become_user_with(std::uint64_t capabilities) {
    return ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 && ::setresgid(1000, 1000, 1000) == 0 &&
           ::setresuid(1000, 1000, 1000) == 0 && set_capabilities(capabilities, capabilities, 0);
}

class TaskIteratorTest : public testing::Test {
protected:
    void SetUp() override {
        GUARD_SKIP_UNLESS_PRIVATE();
        GUARD_SKIP_UNLESS_WALKED();
        iterator_.emplace(TaskIterator::open({}).value());
    }
    TaskRows read() {
        auto rows = iterator_->read();
        EXPECT_TRUE(rows) << describe(rows.error());
        return rows ? *std::move(rows) : TaskRows{};
    }
    /// The row of the thread that stands for a child: its only living one.
    static const TaskRow* row_of(const TaskRows& rows, const Child& child) {
        const auto row = std::ranges::find_if(
            rows.tasks, [&child](const TaskRow& task) { return task.pid == child.pid() && !task.ended; });
        return row == rows.tasks.end() ? nullptr : &*row;
    }
    static std::vector<std::string> filters_of(const TaskRows& rows, const TaskRow& row) {
        std::vector<std::string> filters;
        for (const auto number : row.filters.value_or(std::vector<std::uint32_t>{}))
            filters.push_back(rows.filters.at(number));
        return filters;
    }
    std::optional<TaskIterator> iterator_;
};

/// What both ways can say of a thread, in one line.
std::string line_of(const TaskRow& row) {
    return fmt::format("{:x} {:x} {:x} {:x} {:x} nnp {} mode {} filters {} tracer {} start {}",
                       row.cap_inheritable, row.cap_permitted, row.cap_effective, row.cap_bounding,
                       row.cap_ambient, row.no_new_privs, row.seccomp, row.seccomp_filters, row.tracer,
                       row.start);
}

std::string line_of(const ProcStatus& status, std::uint64_t start) {
    return fmt::format("{:x} {:x} {:x} {:x} {:x} nnp {} mode {} filters {} tracer {} start {}",
                       status.cap_inheritable, status.cap_permitted, status.cap_effective,
                       status.cap_bounding, status.cap_ambient, status.no_new_privs, status.seccomp,
                       status.seccomp_filters.value_or(0), status.tracer, start);
}

std::map<pid_t, std::string> lines_of_proc() {
    std::map<pid_t, std::string> lines;
    for (const auto& process : sys::list_directory(AT_FDCWD, "/proc").value_or(std::vector<std::string>{})) {
        if (!number_of<pid_t>(process)) continue;
        const auto threads = sys::list_directory(AT_FDCWD, "/proc/" + process + "/task");
        for (const auto& thread : threads.value_or(std::vector<std::string>{})) {
            const auto folder = "/proc/" + process + "/task/" + thread;
            const auto status = parse_proc_status(sys::read_file(folder + "/status").value_or(""));
            const auto stat = parse_proc_stat(sys::read_file(folder + "/stat").value_or(""));
            if (status && stat) lines[status->pid] = line_of(*status, stat->start);
        }
    }
    return lines;
}

std::map<pid_t, std::string> lines_of_rows(const TaskRows& rows) {
    std::map<pid_t, std::string> lines;
    for (const auto& row : rows.tasks) lines[row.tid] = line_of(row);
    return lines;
}

TEST_F(TaskIteratorTest, AgreesWithProcOnEveryThreadOfThisMachine) {
    const Child filtered([] { return add_filter(filter_of(1)) && add_filter(filter_of(2)); });
    const Child with_caps(
        [] { return set_capabilities(bit(CAP_KILL) | bit(CAP_CHOWN), bit(CAP_KILL), bit(CAP_CHOWN)); });
    const Child behind_a_zombie([] { return true; }, support::Leader::ends);
    // What starts, ends or changes in between differs for a moment: a difference counts where it stays.
    std::string different;
    for (int attempt = 0; attempt < 5; ++attempt) {
        different.clear();
        const auto before = lines_of_proc();
        const auto rows = lines_of_rows(read());
        const auto after = lines_of_proc();
        EXPECT_GE(rows.size(), 5U);
        for (const auto& [tid, line] : after) {
            const auto earlier = before.find(tid);
            if (earlier == before.end() || earlier->second != line) continue;
            const auto row = rows.find(tid);
            if (row == rows.end() || row->second != line)
                different += fmt::format("{}: /proc {}\n   iterator {}\n", tid, line,
                                         row == rows.end() ? "-" : row->second);
        }
        if (different.empty()) break;
    }
    EXPECT_EQ(different, "");
}

TEST_F(TaskIteratorTest, ReadsTheBytesOfEveryFilterNewestFirst) {
    const Child child([] {
        return add_filter(filter_of(10)) && add_filter(filter_of(11, 4096)) && add_filter(filter_of(12));
    });
    const auto rows = read();
    const auto* row = row_of(rows, child);
    ASSERT_NE(row, nullptr);
    const std::vector expected{bytes_of(filter_of(12)), bytes_of(filter_of(11, 4096)),
                               bytes_of(filter_of(10))};
    EXPECT_EQ(filters_of(rows, *row), expected);
}

TEST_F(TaskIteratorTest, ReadsTheSameBytesAsPtraceDoes) {
    const Child child([] { return add_filter(filter_of(20)) && add_filter(filter_of(21, 100)); });
    const auto rows = read();
    const auto* row = row_of(rows, child);
    ASSERT_NE(row, nullptr);
    const auto traced = filters_by_ptrace(row->tid, row->start);
    ASSERT_TRUE(traced) << describe(traced.error());
    EXPECT_EQ(filters_of(rows, *row), *traced);
    EXPECT_EQ(traced->size(), 2U);
}

TEST_F(TaskIteratorTest, AThreadWithAnotherStartIsNotTraced) {
    const Child child([] { return true; });
    const auto traced = filters_by_ptrace(child.pid(), 1);
    ASSERT_FALSE(traced);
    EXPECT_EQ(traced.error().code, ESRCH);
}

TEST_F(TaskIteratorTest, ThreadsThatShareAFilterShareItsBytes) {
    const Child one([] { return add_filter(filter_of(30)); });
    const auto rows = read();
    const auto wanted = bytes_of(filter_of(30));
    EXPECT_EQ(std::ranges::count(rows.filters, wanted), 1);
    EXPECT_EQ(std::ranges::count(read().filters, wanted), 1) << "another reading starts anew";
}

// More than the arena holds in one pass, by instructions and by number.
TEST_F(TaskIteratorTest, ReadsAsManyFiltersAsThereAre) {
    std::vector<std::unique_ptr<Child>> children;
    for (std::uint32_t i = 0; i < 20; ++i)
        children.push_back(std::make_unique<Child>([i] { return add_filter(filter_of(1000 + i, 4000)); }));
    for (std::uint32_t i = 0; i < 10; ++i)
        children.push_back(std::make_unique<Child>([i] {
            for (std::uint32_t filter = 0; filter < 30; ++filter)
                if (!add_filter(filter_of(2000 + 100 * i + filter))) return false;
            return true;
        }));
    const auto rows = read();
    for (std::uint32_t i = 0; i < 20; ++i) {
        const auto* row = row_of(rows, *children[i]);
        ASSERT_NE(row, nullptr);
        EXPECT_EQ(filters_of(rows, *row), std::vector{bytes_of(filter_of(1000 + i, 4000))});
    }
    const auto* last = row_of(rows, *children.back());
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(filters_of(rows, *last).size(), 30U);
    EXPECT_EQ(filters_of(rows, *last).back(), bytes_of(filter_of(2900)));
}

TEST_F(TaskIteratorTest, OfManyFiltersOnOneThreadTheOldestAreRead) {
    const auto stacked = [](std::uint32_t count) {
        return [count] {
            for (std::uint32_t filter = 0; filter < count; ++filter)
                if (!add_filter(filter_of(4000 + filter, filter == 0 ? 2 : 1))) return false;
            return true;
        };
    };
    const Child many(stacked(200)), too_many(stacked(1100));
    const auto rows = read();
    const auto *row = row_of(rows, many), *unread = row_of(rows, too_many);
    ASSERT_NE(row, nullptr);
    ASSERT_NE(unread, nullptr);
    EXPECT_EQ(row->seccomp_filters, 200U);
    const auto filters = filters_of(rows, *row);
    ASSERT_EQ(filters.size(), 32U);
    EXPECT_EQ(filters.back(), bytes_of(filter_of(4000)));
    EXPECT_EQ(unread->seccomp_filters, 1100U);
    EXPECT_FALSE(unread->filters.has_value()) << "never a guess";
}

// /proc counts from the boot as the reader's clock has it.
TEST_F(TaskIteratorTest, AgreesWithProcInATimeNamespaceOfItsOwn) {
    const auto agrees = [] {
        if (::unshare(CLONE_NEWTIME) != 0 ||
            !sys::write_file(AT_FDCWD, "/proc/self/timens_offsets", "boottime 86400 500000000\n"))
            return 2;
        const auto child = ::fork();
        if (child > 0) {
            int status = 0;
            ::waitpid(child, &status, 0);
            return WEXITSTATUS(status);
        }
        auto iterator = TaskIterator::open({});
        const auto rows = iterator ? iterator->read() : std::unexpected(iterator.error());
        const auto stat = parse_proc_stat(sys::read_file("/proc/1/stat").value_or(""));
        if (!rows || !stat) ::_exit(3);
        const auto row = std::ranges::find(rows->tasks, 1, &TaskRow::tid);
        ::_exit(row != rows->tasks.end() && row->start == stat->start && stat->start > 8'640'000 ? 0 : 4);
    };
    EXPECT_EQ(support::status_of_child(agrees), 0);
}

TEST_F(TaskIteratorTest, ReadsSecurebits) {
    const unsigned bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE;
    const Child child([bits] { return ::prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) == 0; });
    const auto rows = read();
    const auto* row = row_of(rows, child);
    ASSERT_NE(row, nullptr);
    EXPECT_EQ(row->securebits, bits);
}

TEST_F(TaskIteratorTest, CountsLandlockLayers) {
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 1)
        GTEST_SKIP() << "this kernel has no Landlock";
    for (const unsigned layers : {0U, 1U, 3U}) {
        const Child child([layers] {
            for (unsigned layer = 0; layer < layers; ++layer)
                if (!add_landlock_layer()) return false;
            return true;
        });
        const auto rows = read();
        const auto* row = row_of(rows, child);
        ASSERT_NE(row, nullptr);
        EXPECT_EQ(row->landlock_layers, layers);
    }
}

TEST_F(TaskIteratorTest, SeesAThreadWithCapabilitiesBehindALeaderThatHasEnded) {
    const Child child([] { return set_capabilities(bit(CAP_NET_ADMIN), bit(CAP_NET_ADMIN), 0); },
                      support::Leader::ends);
    const auto rows = read();
    const auto* row = row_of(rows, child);
    ASSERT_NE(row, nullptr);
    EXPECT_NE(row->tid, row->pid);
    EXPECT_EQ(row->cap_effective, bit(CAP_NET_ADMIN));
    EXPECT_TRUE(std::ranges::any_of(
        rows.tasks, [&child](const TaskRow& task) { return task.tid == child.pid() && task.ended; }));
}

// A user with two capabilities, and the walk of a guard that is root, see the same.
TEST_F(TaskIteratorTest, NeedsNoMoreThanBpfAndPerfmon) {
    const Child child([] { return add_filter(filter_of(50)); });
    const auto seen = [&child] {
        if (!become_user_with(bit(CAP_BPF) | bit(CAP_PERFMON))) return 2;
        auto iterator = TaskIterator::open({});
        if (!iterator) return 3;
        const auto rows = iterator->read();
        if (!rows) return 4;
        const auto* row = row_of(*rows, child);
        return row != nullptr && filters_of(*rows, *row) == std::vector{bytes_of(filter_of(50))} ? 0 : 5;
    };
    EXPECT_EQ(support::status_of_child(seen), 0);
}

TEST_F(TaskIteratorTest, SaysWhichCapabilitiesItLacks) {
    const auto refused = [](std::uint64_t capabilities) {
        return support::status_of_child([capabilities] {
            if (!become_user_with(capabilities)) return 2;
            const auto iterator = TaskIterator::open({});
            if (iterator) return 3;
            return iterator.error().fix.find("CAP_BPF and CAP_PERFMON") == std::string::npos
                       ? 4
                       : iterator.error().code;
        });
    };
    EXPECT_EQ(refused(0), EPERM);
    EXPECT_EQ(refused(bit(CAP_BPF)), EPERM);
}

}  // namespace
}  // namespace guard
