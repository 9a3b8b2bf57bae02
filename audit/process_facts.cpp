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
#include <sys/un.h>
#include <unistd.h>

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

bool is_gone(const Error& error) { return error.code == ENOENT || error.code == EBADF; }

class HandleReader {
public:
    HandleReader(const ProcessSource& source, const TreeFacts& tree) : source_(source), tree_(&tree) {}

    Result<std::vector<Handle>> read() {
        CHECK(add_file("working directory", "cwd"));
        CHECK(add_file("root directory", "root"));
        for (const auto& number : TRY(sys::list_directory(source_.folder, "fd"))) {
            // One that was closed since the list was read is no handle any more.
            const auto added = add(number);
            if (!added && !is_gone(added.error())) return std::unexpected(added.error());
        }
        return std::move(handles_);
    }

private:
    Result<void> add(const std::string& number);
    Result<void> add_file(const std::string& where, const std::string& path);
    Result<void> add_socket(const std::string& number, Handle handle);
    Result<void> add_process(const std::string& number, Handle handle);

    ProcessSource source_;
    const TreeFacts* tree_;
    std::vector<Handle> handles_;
};

Result<void> HandleReader::add(const std::string& number) {
    const auto path = "fd/" + number;
    auto link = TRY(sys::readlinkat(source_.folder, path));
    const auto kind = kind_of_descriptor(link);
    const auto where = "descriptor " + number;
    if (kind == DescriptorKind::file) return add_file(where, path);
    Handle handle{kind, where, std::move(link), 0, 0, ""};
    if (kind == DescriptorKind::socket) return add_socket(number, std::move(handle));
    if (kind == DescriptorKind::process_handle) return add_process(number, std::move(handle));
    if (kind == DescriptorKind::ns_handle || kind == DescriptorKind::kernel_object)
        handles_.push_back(std::move(handle));
    return {};
}

// A file is inside where the tree of its process has the mount that it is on; its path says nothing, for it
// is printed from whatever root it is below. statx(2) STATX_MNT_ID
Result<void> HandleReader::add_file(const std::string& where, const std::string& path) {
    const auto status = TRY(sys::statx(source_.folder, path, STATX_BASIC_STATS | STATX_MNT_ID));
    if ((status.stx_mask & STATX_MNT_ID) == 0) return fail("tell the mount of a file", "this kernel cannot");
    if (tree_->writable.contains(status.stx_mnt_id)) return {};
    const bool is_device = S_ISCHR(status.stx_mode);
    if (is_device && is_harmless_device(fmt::format("c {}:{}", status.stx_rdev_major, status.stx_rdev_minor)))
        return {};
    handles_.push_back({DescriptorKind::file, where, TRY(sys::readlinkat(source_.folder, path)), 0, 0, ""});
    return {};
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
    const UniqueFd copy(
        static_cast<int>(::syscall(SYS_pidfd_getfd, source_.pidfd, number_of<int>(number).value_or(-1), 0)));
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

Result<ProgramFile> read_program(const ProcessSource& source, const TreeFacts& tree) {
    ProgramFile program;
    program.path = TRY(sys::readlinkat(source.folder, "exe"));
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

Result<MemoryMaps> read_maps(int folder) {
    const auto text = TRY(sys::read_file(folder, "maps"));
    return parse_maps(text);
}

Result<std::set<std::string>> read_environment(int folder) {
    const auto block = TRY(sys::read_file(folder, "environ"));
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

}  // namespace

std::shared_ptr<const ProcessFacts> read_process_facts(const ProcessSource& source, const TreeFacts& tree) {
    auto facts = std::make_shared<ProcessFacts>();
    if (const auto* unread = std::get_if<Unknown>(&tree.mounts))
        facts->handles = *unread;
    else
        facts->handles = known(HandleReader(source, tree).read());
    facts->program = known(read_program(source, tree));
    facts->maps = known(read_maps(source.folder));
    facts->environment = known(read_environment(source.folder));
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
