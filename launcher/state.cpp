#include "launcher/state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "base/process.h"
#include "base/split.h"
#include "base/sys.h"
#include "base/units.h"
#include "launcher/cgroup.h"
#include "launcher/network.h"

namespace guard::launcher {
namespace {

constexpr mode_t kOwnerOnly = 0700;
constexpr const char* kRecord = "record.json";
constexpr const char* kLock = "lock";
constexpr std::size_t kLongestName = 63;

std::string environment(const char* name, const std::string& otherwise) {
    const char* value = std::getenv(name);
    return value != nullptr && *value == '/' ? value : otherwise;
}

// "/run is full (0 of 793 MiB free)": the errno alone says neither which disk nor how full.
Error explained(Error error, const std::string& folder) {
    struct statvfs fs{};
    if (error.code == EROFS) {
        error.fix = "mount it writable; guard keeps its launch records there";
    } else if (error.code == ENOSPC && ::statvfs(folder.c_str(), &fs) == 0) {
        error.reason =
            fmt::format("{} is full ({} of {} free)", folder, format_size(fs.f_bavail * fs.f_frsize),
                        format_size(fs.f_blocks * fs.f_frsize));
        error.fix = fmt::format("df -h {0}; du -xsh {0}/* shows who fills it", folder);
    }
    return error;
}

// Somebody else's folder or file is never followed or believed: what it says is undone with root's rights.
Result<void> check_owner(int fd, const std::string& what) {
    const auto status = TRY(sys::fstat(fd));
    if (status.st_uid != ::geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return fail("use " + what, "somebody else owns it or may write it",
                    fmt::format("look at it, then: chown {0} {1} && chmod go-w {1}", ::geteuid(), what));
    return {};
}

Result<UniqueFd> open_folder(const std::string& path) {
    auto folder = TRY(sys::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    CHECK(check_owner(folder.get(), path));
    return folder;
}

std::string folder_of(const std::string& name) { return state_paths().run + "/" + name; }

// Takes the lock, or tells that another has it. The folder may be removed by its owner between the open and
// the lock: then the lock is on a file that nobody sees, and a new one is made.
Result<UniqueFd> lock_folder(const std::string& path) {
    for (;;) {
        if (::mkdir(path.c_str(), kOwnerOnly) < 0 && errno != EEXIST)
            return fail_errno("make directory " + path, errno);
        auto folder = open_folder(path);
        if (!folder && folder.error().code == ENOENT) continue;
        if (!folder) return std::unexpected(folder.error());
        auto lock = sys::openat(folder->get(), kLock, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
        if (!lock && lock.error().code == ENOENT) continue;
        if (!lock) return lock;
        if (TEMP_FAILURE_RETRY(::flock(lock->get(), LOCK_EX | LOCK_NB)) < 0)
            return fail_errno("lock " + path, errno);
        const auto held = TRY(sys::fstat(lock->get()));
        const auto named = sys::fstatat(AT_FDCWD, path + "/" + kLock, AT_SYMLINK_NOFOLLOW);
        if (named && named->st_ino == held.st_ino && named->st_dev == held.st_dev) return lock;
    }
}

Result<void> remove_folder(const std::string& path) {
    const auto folder = open_folder(path);
    if (!folder && folder.error().code == ENOENT) return {};
    if (!folder) return std::unexpected(folder.error());
    auto names = TRY(sys::list_directory(folder->get(), "."));
    // The lock last: whoever waits for the name must find either all of it or nothing.
    std::ranges::stable_partition(names, [](const std::string& name) { return name != kLock; });
    for (const auto& name : names)
        if (::unlinkat(folder->get(), name.c_str(), 0) < 0 && errno != ENOENT)
            return fail_errno("remove " + path + "/" + name, errno);
    if (::rmdir(path.c_str()) < 0 && errno != ENOENT) return fail_errno("remove " + path, errno);
    return {};
}

Result<void> undo_directory(const Made& made) {
    const bool gone =
        ::rmdir(made.what.c_str()) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST;
    if (!gone) return fail_errno("remove " + made.what, errno);
    return {};
}

Result<void> undo_file(const Made& made) {
    if (::unlink(made.what.c_str()) < 0 && errno != ENOENT) return fail_errno("remove " + made.what, errno);
    return {};
}

/// Who undoes what; one row a kind.
struct Undo {
    Made::Kind kind;
    Result<void> (*run)(const Made&);
};
constexpr auto kUndo = std::to_array<Undo>({
    {Made::Kind::cgroup, undo_cgroup},
    {Made::Kind::veth, undo_network},
    {Made::Kind::bridge, undo_network},
    {Made::Kind::nft_element, undo_network},
    {Made::Kind::forwarding, undo_network},
    {Made::Kind::route_localnet, undo_network},
    {Made::Kind::directory, undo_directory},
    {Made::Kind::file, undo_file},
});
static_assert(kUndo.size() == static_cast<std::size_t>(Made::Kind::file) + 1, "a kind has no row");

Result<void> undo(const Made& made) { return std::ranges::find(kUndo, made.kind, &Undo::kind)->run(made); }

// Cleans up what `lock`'s folder records. A folder without a record is what a launch left that ended before
// it made anything.
Result<void> clean_up_folder(const std::string& name) {
    const auto record = load_record(name);
    if (record) return clean_up(*record);
    if (record.error().code == ENOENT) return remove_folder(folder_of(name));
    return std::unexpected(record.error());
}

// The lock file says whose lock it is, so that nobody has to read the record of every container that runs.
Result<void> sign(const UniqueFd& lock, const std::string& path) {
    const auto own = TRY(open_process(::getpid())).id;
    const auto text = fmt::format("{} {} {} {}\n", TRY(boot_id()), own.pid, own.start, own.pidfd_inode);
    if (::pwrite(lock.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        return fail_errno("write " + path, errno);
    return {};
}

bool is_alive(const std::string& boot, const TaskId& supervisor) {
    const auto now = boot_id();
    if (!now || *now != boot) return false;
    const auto process = open_process(supervisor);
    return process || process.error().code != ESRCH;  // hidden is not dead
}

// Whether the supervisor that signed a lock has died. One that has not signed yet lives.
bool is_orphaned(const std::string& name) {
    const auto text = sys::read_file(folder_of(name) + "/" + kLock);
    const auto words = text ? words_of(*text) : std::vector<std::string_view>{};
    if (words.size() != 4) return false;
    const TaskId supervisor{number_of<pid_t>(words[1]).value_or(0),
                            number_of<std::uint64_t>(words[2]).value_or(0),
                            number_of<std::uint64_t>(words[3]).value_or(0)};
    return !is_alive(std::string(words[0]), supervisor);
}

// A process that was forked from a dead supervisor can still hold its lock: ending it is part of cleaning up.
// True where that was done.
bool clean_up_orphans(const std::string& name) {
    if (!is_orphaned(name)) return false;
    const auto record = load_record(name);
    return record && life_of(*record) == Life::dead && clean_up(*record);
}

Error runs_already(const std::string& name) {
    return {"launch " + name, "a container of that name runs already", 0,
            fmt::format("guard stop {0}, or launch with --name {0}-2", name)};
}

}  // namespace

StatePaths state_paths() {
    if (::geteuid() == 0) return {"/run/guard", "/var/lib/guard", "/var/cache/guard", "/var/log/guard"};
    const auto home = environment("HOME", "/nonexistent");
    const auto run = environment("XDG_RUNTIME_DIR", "/run/user/" + std::to_string(::geteuid()));
    return {run + "/guard", environment("XDG_DATA_HOME", home + "/.local/share") + "/guard",
            environment("XDG_CACHE_HOME", home + "/.cache") + "/guard",
            environment("XDG_STATE_HOME", home + "/.local/state") + "/guard"};
}

Result<void> check_name(const std::string& name) {
    const auto is_word = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    const bool fits = !name.empty() && name.size() <= kLongestName && is_word(name.front()) &&
                      std::ranges::all_of(name, [&](char c) { return is_word(c) || c == '-'; });
    if (fits) return {};
    return fail(fmt::format("use the name \"{}\"", name),
                "want 1 to 63 of a-z, 0-9 and \"-\", and no \"-\" at the start");
}

Result<Claim> claim_name(const std::string& name) {
    CHECK(check_name(name));
    const auto run = state_paths().run;
    if (auto made = sys::make_directories(run, kOwnerOnly); !made)
        return std::unexpected(explained(made.error(), "/run"));
    static_cast<void>(TRY(open_folder(run)));
    auto lock = lock_folder(folder_of(name));
    if (!lock && lock.error().code == EWOULDBLOCK) {
        if (!clean_up_orphans(name)) return std::unexpected(runs_already(name));
        return claim_name(name);
    }
    if (!lock) return std::unexpected(explained(lock.error(), run));
    const auto names = TRY(sys::list_directory(AT_FDCWD, folder_of(name)));
    if (names.size() == 1) {
        if (auto written = sign(*lock, folder_of(name) + "/" + kLock); !written)
            return std::unexpected(explained(written.error(), run));
        return Claim{folder_of(name), std::move(*lock)};
    }
    // Something is left of a supervisor that died. Cleaning up removes folder and lock: claim again.
    CHECK(clean_up_folder(name));
    lock->reset();
    return claim_name(name);
}

Result<void> save_record(const Record& record) {
    const auto path = folder_of(record.name) + "/" + kRecord;
    // /run is a tmpfs: there is nothing to sync to.
    auto saved = sys::replace_file(path, record_to_json(record), 0600, sys::Sync::no);
    if (saved) return {};
    auto error = explained(saved.error(), state_paths().run);
    error.attempt = "write the launch record of " + record.name;
    return std::unexpected(error);
}

Result<Record> load_record(const std::string& name) {
    CHECK(check_name(name));
    const auto path = folder_of(name) + "/" + kRecord;
    auto folder = open_folder(folder_of(name));
    if (!folder && folder.error().code == ENOENT)
        return std::unexpected(
            Error{"find " + name, "no container of that name runs", ENOENT, "guard list shows them"});
    if (!folder) return std::unexpected(folder.error());
    const auto file = TRY(sys::openat(folder->get(), kRecord, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    CHECK(check_owner(file.get(), path));
    auto record = record_from_json(TRY(sys::read_all(file.get(), path)));
    if (!record) record.error().attempt = path + ": " + record.error().attempt;
    if (record && record->name != name) return fail("read " + path, "it is the record of " + record->name);
    return record;
}

Result<Record> named_record(const std::string& name) {
    auto record = load_record(name);
    if (!record && record.error().code == ENOENT) record.error().code = 0;  // not the kernel's answer
    return record;
}

Result<std::vector<std::string>> recorded_names() {
    auto names = sys::list_directory(AT_FDCWD, state_paths().run);
    if (!names && names.error().code == ENOENT) return std::vector<std::string>{};
    if (!names) return names;
    std::erase_if(*names, [](const std::string& name) { return !check_name(name); });
    return names;
}

Life life_of(const Record& record) {
    return is_alive(record.bindings.boot_id, record.bindings.supervisor) ? Life::running : Life::dead;
}

Result<void> clean_up(const Record& record) {
    Result<void> first;
    const auto note = [&first](const Result<void>& done) {
        if (!done && first) first = done;
    };
    std::map<std::string, std::string> leaves;
    for (const auto& made : record.made)
        if (made.kind == Made::Kind::cgroup) leaves[made.detail] = made.what;
    note(kill_cgroup(leaves));
    for (auto made = record.made.rbegin(); made != record.made.rend(); ++made) note(undo(*made));
    // What could not be undone stays on record: the next command tries again.
    if (first) note(remove_folder(folder_of(record.name)));
    return first;
}

std::vector<std::string> clean_up_dead() {
    std::vector<std::string> cleaned;
    const auto names = recorded_names();
    if (!names) return cleaned;
    for (const auto& name : *names) {
        const auto lock = lock_folder(folder_of(name));
        // Who holds the lock is its supervisor, or what that left running.
        if (lock ? clean_up_folder(name).has_value() : clean_up_orphans(name)) cleaned.push_back(name);
    }
    return cleaned;
}

}  // namespace guard::launcher
