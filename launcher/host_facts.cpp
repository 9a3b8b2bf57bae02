#include "launcher/host_facts.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>

#include "base/lsm_label.h"
#include "base/mountinfo.h"
#include "base/sys.h"
#include "launcher/landlock.h"

namespace guard::launcher {
namespace {

// Small, and read by nearly every program: copied, so that no mount of the host's /etc is needed.
constexpr auto kCopied = std::to_array<std::string_view>(
    {"/etc/ld.so.cache", "/etc/timezone", "/etc/ssl/openssl.cnf", "/etc/services", "/etc/protocols"});
constexpr std::size_t kMostCopied = 512U << 10U;

Result<PathFacts> facts_at(const std::string& path) {
    struct stat status{};
    PathFacts facts;
    if (::lstat(path.c_str(), &status) < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return facts;
        return fail_errno("look at " + path, errno);
    }
    facts.uid = status.st_uid;
    facts.gid = status.st_gid;
    facts.kind = S_ISDIR(status.st_mode)   ? PathFacts::Kind::directory
                 : S_ISREG(status.st_mode) ? PathFacts::Kind::file
                 : S_ISLNK(status.st_mode) ? PathFacts::Kind::link
                                           : PathFacts::Kind::other;
    if (facts.kind == PathFacts::Kind::link) facts.target = TRY(sys::readlinkat(AT_FDCWD, path));
    return facts;
}

unsigned own_filters() {
    if (::prctl(PR_GET_SECCOMP) <= 0) return 0;
    const auto status = sys::read_file("/proc/self/status").value_or("");
    constexpr std::string_view kLine = "Seccomp_filters:";
    unsigned count = 1;
    if (const auto at = status.find(kLine); at != std::string::npos) {
        const auto digits = status.find_first_not_of(" \t", at + kLine.size());
        std::from_chars(status.data() + digits, status.data() + status.size(), count);
    }
    return count;
}

// What the command would start, below each bind: "put a file there" is said before anything is made.
void add_start_files(std::vector<std::string>& paths, const Profile& profile, const HostFacts& host,
                     const std::string& name, const std::vector<std::string>& command) {
    const auto* mounts = value_of(profile.posture.mounts);
    if (mounts == nullptr) return;
    for (const auto& [place, mount] : *mounts)
        for (const auto& word : command)
            if (mount.type == "bind" && word.starts_with(place + "/"))
                paths.push_back(filled_in(mount.source, host.data, name) + word.substr(place.size()));
}

Result<void> look_at_mounts(HostFacts& host, const Profile& profile) {
    const auto* mounts = value_of(profile.posture.mounts);
    bool recursive = false;
    if (mounts != nullptr)
        for (const auto& [place, mount] : *mounts) recursive |= mount.recursive;
    if (!recursive) return {};
    const auto text = TRY(sys::read_file("/proc/self/mountinfo"));
    for (const auto& line : visible_mounts(TRY(parse_mountinfo(text))))
        host.host_mounts.push_back(line.place);
    return {};
}

}  // namespace

Result<HostFacts> look_at_host(const Profile& profile, const std::string& name,
                               const std::vector<std::string>& command) {
    HostFacts host;
    const auto folders = state_paths();
    host.data = folders.lib + "/" + name;
    host.private_paths = {folders.run, folders.lib, folders.cache, folders.log, "/etc/guard"};
    for (std::size_t number = 0; number < host.rlimits.size(); ++number)
        ::getrlimit(static_cast<__rlimit_resource_t>(number), &host.rlimits.at(number));
    host.landlock_abi = landlock_abi();
    host.memfd_noexec = ::access("/proc/sys/vm/memfd_noexec", F_OK) == 0;
    host.filters = own_filters();
    const auto own = TRY(sys::open("/proc/thread-self", O_RDONLY | O_DIRECTORY));
    host.lsm_label = TRY(lsm_label_in(own.get()));
    host.terminal = ::isatty(0) == 1 && ::isatty(1) == 1;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (const auto equals = text.find('='); equals != std::string::npos)
            host.environment[text.substr(0, equals)] = text.substr(equals + 1);
    }
    const auto* namespaces = value_of(profile.posture.namespaces);
    if (namespaces != nullptr && namespaces->contains("user") &&
        namespaces->at("user").to == Relation::To::own)
        host.ids = TRY(id_range_for(name));
    auto paths = paths_asked(profile, host.data, name);
    add_start_files(paths, profile, host, name, command.empty() ? profile.service.command : command);
    if (::access("/usr/lib/jvm", F_OK) == 0)
        for (const auto& entry : TRY(sys::list_directory(AT_FDCWD, "/etc")))
            if (entry.starts_with("java-")) paths.push_back("/etc/" + entry);
    for (const auto& path : paths) host.paths[path] = TRY(facts_at(path));
    if (profile.service.root == "host")
        for (const auto& path : kCopied)
            if (auto text = sys::read_file(std::string(path), kMostCopied))
                host.files[std::string(path)] = *text;
    CHECK(look_at_mounts(host, profile));
    return host;
}

}  // namespace guard::launcher
