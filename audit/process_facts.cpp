#include "audit/process_facts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/kcmp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "audit/devices.h"
#include "audit/known.h"
#include "base/process.h"
#include "base/split.h"
#include "base/sys.h"

namespace guard::audit {
namespace {

constexpr std::string_view kDeleted = " (deleted)";
constexpr std::size_t kLargestEnvironment = 64U << 10U;

bool is_gone(const Error& error) { return error.code == ENOENT || error.code == EBADF; }

class HandleReader {
public:
    HandleReader(const ProcessSource& source, const Known<Place>& root, const TreeFacts& tree,
                 Learned& learned)
        : source_(source),
          root_mount_(value_of(root) == nullptr ? 0 : value_of(root)->mount),
          tree_(&tree),
          learned_(&learned) {}

    /// `inside`: its working directory is on a mount of the tree.
    Result<std::vector<Handle>> read(bool inside) {
        if (!inside) CHECK(add(source_.folder, "cwd"));
        if (!tree_->writable.contains(root_mount_)) CHECK(add(source_.folder, "root"));
        const auto list = TRY(sys::openat(source_.folder, "fd", O_RDONLY | O_DIRECTORY));
        for (const auto& number : TRY(sys::names_in(list.get(), "fd"))) {
            // One that was closed since the list was read is no handle any more.
            const auto added = add(list.get(), number);
            if (!added && !is_gone(added.error())) return std::unexpected(added.error());
        }
        return std::move(handles_);
    }

private:
    Result<void> add(int folder, const std::string& name);
    Result<void> add_outside(int folder, const std::string& name, const struct statx& status);
    Result<void> add_socket(const std::string& number, Handle handle);
    Result<void> add_process(const std::string& number, Handle handle);
    Result<int> pidfd();

    ProcessSource source_;
    std::uint64_t root_mount_;
    const TreeFacts* tree_;
    Learned* learned_;
    UniqueFd pidfd_;
    std::vector<Handle> handles_;
};

// A file is inside where the tree of its process has the mount that it is on; its path says nothing, for it
// is printed from whatever root it is below. statx(2) STATX_MNT_ID
Result<void> HandleReader::add(int folder, const std::string& name) {
    const auto status = TRY(sys::statx(folder, name, STATX_BASIC_STATS | STATX_MNT_ID));
    if ((status.stx_mask & STATX_MNT_ID) == 0) return fail("tell the mount of a file", "this kernel cannot");
    if (tree_->writable.contains(status.stx_mnt_id)) return {};
    const bool is_device = S_ISCHR(status.stx_mode);
    if (is_device && is_harmless_device(fmt::format("c {}:{}", status.stx_rdev_major, status.stx_rdev_minor)))
        return {};
    const auto device = gnu_dev_makedev(status.stx_dev_major, status.stx_dev_minor);
    if (S_ISFIFO(status.stx_mode) && learned_->pipe_device == device) return {};
    return add_outside(folder, name, status);
}

std::string place_of(const std::string& name) {
    return name == "cwd" ? "working directory" : name == "root" ? "root directory" : "descriptor " + name;
}

// On no mount of the tree: a file of elsewhere, or one of the kernel's own making. The link tells.
Result<void> HandleReader::add_outside(int folder, const std::string& name, const struct statx& status) {
    auto link = TRY(sys::readlinkat(folder, name));
    if (S_ISFIFO(status.stx_mode) && link.starts_with("pipe:["))
        learned_->pipe_device = gnu_dev_makedev(status.stx_dev_major, status.stx_dev_minor);
    const auto kind = kind_of_descriptor(link);
    Handle handle{kind, place_of(name), std::move(link), 0, 0, ""};
    if (kind == DescriptorKind::socket) return add_socket(name, std::move(handle));
    if (kind == DescriptorKind::process_handle) return add_process(name, std::move(handle));
    if (kind == DescriptorKind::file || kind == DescriptorKind::ns_handle ||
        kind == DescriptorKind::kernel_object)
        handles_.push_back(std::move(handle));
    return {};
}

// Few processes need one: it costs as much as a file of theirs.
Result<int> HandleReader::pidfd() {
    constexpr unsigned kThread = O_EXCL;  // PIDFD_THREAD of 6.9
    if (!pidfd_)
        pidfd_.reset(static_cast<int>(
            ::syscall(SYS_pidfd_open, source_.tid, source_.tid == source_.pid ? 0U : kThread)));
    if (!pidfd_) return fail_errno("look at a socket", errno);
    return pidfd_.get();
}

std::string peer_address(int socket) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address), &size) < 0) return {};
    if (address.sun_family != AF_UNIX || size <= offsetof(sockaddr_un, sun_path)) return {};
    std::string path(address.sun_path, size - offsetof(sockaddr_un, sun_path));
    if (path.front() == '\0') path.front() = '@';  // abstract. unix(7)
    return path.substr(0, path.find('\0'));
}

// A copy of the socket tells what no file does: whose network it is of, and who made the other end.
// pidfd_getfd(2), SO_PEERCRED in unix(7)
Result<void> HandleReader::add_socket(const std::string& number, Handle handle) {
    const auto process = TRY(pidfd());
    const UniqueFd copy(
        static_cast<int>(::syscall(SYS_pidfd_getfd, process, number_of<int>(number).value_or(-1), 0)));
    if (!copy) return fail_errno("look at a socket", errno);
    const UniqueFd network(::ioctl(copy.get(), SIOCGSKNS));
    if (!network) return fail_errno("ask for a socket's network", errno);
    handle.network = TRY(namespace_id(network.get())).id;
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(copy.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0) handle.process = peer.pid;
    if (handle.network == source_.network && handle.process == 0) return {};
    handle.peer = peer_address(copy.get());
    handles_.push_back(std::move(handle));
    return {};
}

// fdinfo of a pidfd has a line "Pid:\t4711"; -1 where it has ended. pidfd_open(2)
Result<void> HandleReader::add_process(const std::string& number, Handle handle) {
    const auto text = TRY(sys::read_file(source_.folder, "fdinfo/" + number));
    for (const auto line : lines_of(text)) {
        const auto words = words_of(line);
        if (words.size() == 2 && words[0] == "Pid:") handle.process = number_of<pid_t>(words[1]).value_or(0);
    }
    if (handle.process > 0) handles_.push_back(std::move(handle));
    return {};
}

Result<ProgramFile> read_program(const ProcessSource& source, const std::string& exe, const TreeFacts& tree) {
    ProgramFile program;
    program.path = exe.empty() ? TRY(sys::readlinkat(source.folder, "exe")) : exe;
    const auto status = TRY(sys::statx(source.folder, "exe", STATX_BASIC_STATS | STATX_MNT_ID));
    // A file may be named "x (deleted)": only the count of its names tells.
    program.gone = status.stx_nlink == 0;
    const auto mount = tree.writable.find(status.stx_mnt_id);
    program.in_tree = mount != tree.writable.end();
    program.in_writable = program.in_tree && mount->second;
    if (!program.gone) return program;
    if (program.path.ends_with(kDeleted)) program.path.resize(program.path.size() - kDeleted.size());
    const auto root = TRY(sys::openat(source.folder, "root", O_PATH | O_DIRECTORY));
    program.has_successor = sys::open_in_root(root.get(), program.path, O_PATH).has_value();
    return program;
}

// Out of its memory, where that may be read in one go: the file does no other, and costs three times as much.
std::optional<std::string> environment_in_memory(pid_t pid, const ProcStat& stat) {
    const auto size = stat.environment_end - stat.environment_begin;
    if (stat.environment_begin == 0 || stat.environment_end < stat.environment_begin ||
        size > kLargestEnvironment)
        return std::nullopt;
    std::string block(size, '\0');
    const iovec here{block.data(), block.size()};
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address of another process
    const iovec there{reinterpret_cast<void*>(stat.environment_begin), block.size()};
    if (::process_vm_readv(pid, &here, 1, &there, 1, 0) != static_cast<ssize_t>(size)) return std::nullopt;
    return block;
}

Result<std::set<std::string>> read_environment(const ProcessSource& source, const TaskDetails& details) {
    if (const auto* stat = value_of(details.stat))
        if (const auto block = environment_in_memory(source.tid, *stat)) return names_in_environment(*block);
    const auto block = TRY(sys::read_record(source.folder, "environ"));
    return names_in_environment(block);
}

std::string print_of(const ProcessFacts& facts) {
    std::string print;
    if (const auto* handles = value_of(facts.handles))
        for (const auto& handle : *handles)
            print += fmt::format("{} {} {} {} {}\n", handle.where, handle.link, handle.process,
                                 handle.network, handle.peer);
    if (const auto* program = value_of(facts.program))
        print += fmt::format("{} {} {} {} {}\n", program->path, program->gone, program->has_successor,
                             program->in_tree, program->in_writable);
    if (const auto* maps = value_of(facts.maps)) {
        print += maps->write_exec ? "wx\n" : "\n";
        for (const auto& file : maps->deleted) print += file + "\n";
    }
    if (const auto* names = value_of(facts.environment))
        for (const auto& name : *names) print += name + " ";
    return print + fmt::format("{} {} {} {}", facts.handles.index(), facts.program.index(),
                               facts.maps.index(), facts.environment.index());
}

Known<std::vector<Handle>> read_handles(const ProcessSource& source, const TaskDetails& details,
                                        const TreeFacts& tree, Learned& learned, const ProcessFacts* other) {
    if (const auto* unread = std::get_if<Unknown>(&tree.mounts)) return *unread;
    // The two have their working directories on one mount.
    const auto* const handles = other == nullptr ? nullptr : value_of(other->handles);
    const bool inside =
        handles != nullptr && std::ranges::find(*handles, place_of("cwd"), &Handle::where) == handles->end();
    return known(HandleReader(source, details.root, tree, learned).read(inside));
}

}  // namespace

std::shared_ptr<const ProcessFacts> read_process_facts(const ProcessSource& source,
                                                       const TaskDetails& details, const TreeFacts& tree,
                                                       Learned& learned) {
    auto facts = std::make_shared<ProcessFacts>();
    facts->handles = read_handles(source, details, tree, learned, nullptr);
    facts->program = known(read_program(source, details.exe, tree));
    facts->maps = known(read_maps(source.folder));
    facts->environment = known(read_environment(source, details));
    facts->print = print_of(*facts);
    return facts;
}

std::shared_ptr<const ProcessFacts> read_process_facts(const ProcessSource& source,
                                                       const TaskDetails& details, const TreeFacts& tree,
                                                       Learned& learned, const ProcessFacts& other) {
    auto facts = std::make_shared<ProcessFacts>(other);
    facts->handles = read_handles(source, details, tree, learned, &other);
    facts->maps = known(read_maps(source.folder));
    facts->print = print_of(*facts);
    return facts;
}

bool shares_descriptors(pid_t leader, pid_t thread) {
    const auto same = [leader, thread](int what) {
        return ::syscall(SYS_kcmp, leader, thread, what, 0, 0) == 0;
    };
    return same(KCMP_FILES) && same(KCMP_FS);
}

}  // namespace guard::audit
